package main

// config is what the function reads from its environment. Lambda itself sets the memory size.
type config struct {
	TableName   string `env:"TABLE_NAME,notEmpty"`
	CallbackURL string `env:"CALLBACK_URL,notEmpty"`
	StackName   string `env:"STACK_NAME,notEmpty"`
	MemoryMB    int    `env:"AWS_LAMBDA_FUNCTION_MEMORY_SIZE" envDefault:"256"`
}
