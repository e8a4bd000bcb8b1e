package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// child is this program, started once more with a command of its own. It ends when its standard input does, also
// when this process dies.
type child struct {
	process *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Reader
}

// startChild starts a command.
func startChild(ctx context.Context, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	c := &child{process: exec.CommandContext(ctx, self, args...)}
	c.process.Stderr = os.Stderr
	c.process.WaitDelay = time.Second
	if c.input, err = c.process.StdinPipe(); err != nil {
		return nil, err
	}
	output, err := c.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.output = bufio.NewReader(output)
	if err := c.process.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	return c, nil
}

// line is the next line that the child prints.
func (c *child) line() (string, error) {
	line, err := c.output.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%s ended early: %w", c.process.Args[1], err)
	}
	return line[:len(line)-1], nil
}

// ask gives the child a line of JSON and decodes its answer.
func (c *child) ask(question, answer any) error {
	if err := json.NewEncoder(c.input).Encode(question); err != nil {
		return fmt.Errorf("ask %s: %w", c.process.Args[1], err)
	}
	line, err := c.line()
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(line), answer)
}

// freeze stops the child, as Lambda does with a function between two events, and thaw lets it go on.
func (c *child) freeze() error { return c.process.Process.Signal(syscall.SIGSTOP) }
func (c *child) thaw() error   { return c.process.Process.Signal(syscall.SIGCONT) }

// close ends the child.
func (c *child) close() error {
	_ = c.input.Close() // a pipe
	return c.process.Wait()
}
