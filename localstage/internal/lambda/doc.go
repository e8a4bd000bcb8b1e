// Package lambda hosts functions as AWS Lambda does: it starts a function's
// bootstrap executable as operating system processes, the execution
// environments, and speaks the Lambda Runtime API with them.
//
// An environment handles one invocation at a time. Parallel events start more
// environments, up to the function's concurrency; idle ones are used again,
// the most recently used first, and are frozen meanwhile. A function that
// panics, exits, runs out of time or is killed fails the one invocation, as
// Lambda fails it, and the next event gets a fresh process.
//
// The address in AWS_LAMBDA_RUNTIME_API names a host and a port and nothing
// else, so every environment has a listener of its own: whoever calls it is
// that environment's process.
//
// No process outlives the service, not even when the service itself is killed:
// on Linux the kernel ends the bootstrap with its parent, and on every system a
// small guardian ends what the bootstrap has started.
//
// Memory, CPU share, the file system and the network of an environment are not
// limited. The package needs a Unix: on Windows, use WSL.
//
// Sources: AWS Lambda developer guide, "Using the Lambda runtime API for custom
// runtimes" and "Understanding the Lambda execution environment lifecycle";
// aws/aws-lambda-runtime-interface-emulator for refusals and states;
// aws/aws-lambda-go for what a Go function sends and accepts.
package lambda
