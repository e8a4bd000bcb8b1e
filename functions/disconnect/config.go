package main

// config is what the function reads from its environment.
type config struct {
	TableName string `env:"TABLE_NAME,notEmpty"`
}
