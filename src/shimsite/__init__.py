"""The site: what MkDocs calls, and what pages, tables, diagrams and notebooks are made with."""
