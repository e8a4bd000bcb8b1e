// Package lambda hosts functions as AWS Lambda does. It starts a function's bootstrap executable as operating system
// processes, the execution environments, and speaks the Lambda Runtime API with them.
//
// An environment handles one invocation at a time. Parallel events start more environments, up to the function's
// concurrency. Idle environments are frozen and used again, the most recently used first. A function that panics,
// exits, runs out of time or is killed fails its one invocation, as on Lambda. The next event gets a fresh process.
//
// The address in AWS_LAMBDA_RUNTIME_API names a host and a port and nothing else. So every environment has a listener
// of its own, and every caller of it is that environment's process.
//
// No process outlives the service, not even when the service itself is killed. On Linux the kernel ends the bootstrap
// with its parent, and on every system a small guardian ends the processes that the bootstrap has started.
//
// Memory, CPU share, file system and network of an environment have no limits. The package needs a Unix; on Windows,
// use WSL.
//
// Sources: AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes" and "Understanding the Lambda
// execution environment lifecycle"; aws/aws-lambda-runtime-interface-emulator for refusals and states;
// aws/aws-lambda-go for the requests of a Go function and the answers that it accepts.
package lambda
