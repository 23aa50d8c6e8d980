"""Whose each sample and study is: rules in `sql/linkage`, and the decisions of people where rules do not settle it."""
