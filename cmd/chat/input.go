package main

import (
	"bufio"
	"context"
	"io"
	"strings"
)

// input returns the texts of the user: those of --once if there are any, or else the lines of standard input. The
// channel is closed after the last one.
func input(ctx context.Context, once []string, stdin io.Reader) <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		if len(once) == 0 {
			readLines(ctx, stdin, lines)
			return
		}
		for _, text := range once {
			if !pass(ctx, text, lines) {
				return
			}
		}
	}()
	return lines
}

func readLines(ctx context.Context, r io.Reader, lines chan<- string) {
	reader := bufio.NewReader(r)
	for {
		line, err := reader.ReadString('\n')
		if !pass(ctx, line, lines) || err != nil {
			return
		}
	}
}

// pass passes a line on, unless it is empty.
func pass(ctx context.Context, line string, lines chan<- string) bool {
	line = strings.ToValidUTF8(strings.TrimRight(line, "\r\n"), "\uFFFD")
	if strings.TrimSpace(line) == "" {
		return true
	}
	select {
	case lines <- line:
		return true
	case <-ctx.Done():
		return false
	}
}
