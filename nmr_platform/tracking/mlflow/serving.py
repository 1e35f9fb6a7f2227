"""What MLflow serves: a model behind the one method that MLflow asks for, its refusals as answers to the caller."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

from nmr_platform.errors import NmrPlatformError
from nmr_platform.tracking.deployable import Deployable

__all__ = ["ServedModel"]


class ServedModel:
    """A model as MLflow's pyfunc flavour wants it.

    Args:
        model: The model.
    """

    def __init__(self, model: Deployable) -> None:
        self.model = model

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Predict every row.

        Raises:
            MlflowException: The model refused a row. A server answers with status 400 and the sentence; any other
                exception would become a page of traceback.
        """
        try:
            return self.model.predict_table(model_input, params)
        except NmrPlatformError as error:
            raise MlflowException(str(error), error_code=INVALID_PARAMETER_VALUE) from error
