"""The same three SELECTs run by SQLMesh and by dbt, each in a virtual environment of its own, beside our write path."""
