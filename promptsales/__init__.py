"""The PromptSales data pipeline: contracts, extraction, load, quality, provisioning and the command line."""
