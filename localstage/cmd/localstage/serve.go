package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"signedsocket/localstage"
)

// stopWithin bounds the orderly end of the stage: closing sockets and their $disconnect.
const stopWithin = 5 * time.Second

// serve runs a stage until ctx ends.
func serve(ctx context.Context, f flags, stdout, stderr io.Writer) error {
	config, err := f.config()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	if len(f.Fault) > 0 {
		log.Warn("the stage injects faults", "faults", fmt.Sprint(f.Fault), "seed", f.Seed)
	}
	config.Logs, config.Log = stderr, log
	if f.DynamoDBOnly {
		announce := func(address string) error { return announceDynamoDB(stdout, f, address) }
		return localstage.ServeDynamoDB(ctx, config, announce)
	}
	if config.Adapter, err = os.Executable(); err != nil {
		return fmt.Errorf("find this program, which is the web adapter, too: %w", err)
	}
	stage, err := localstage.New(ctx, config)
	if ctx.Err() != nil && err != nil {
		return nil // stopped before it was ready; an error of the broken start is no news
	}
	if err != nil {
		return err
	}
	err = announce(stdout, f, stage.Outputs(), stage.PageURL())
	if err == nil {
		<-ctx.Done()
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	if closed := stage.Close(stopping); err == nil {
		err = closed
	}
	return err
}

// announce prints that the stage is ready and how to use it: one line of JSON, or a few for people. page is the address
// of the chat, or "".
func announce(w io.Writer, f flags, o localstage.Outputs, page string) error {
	if f.JSON {
		return json.NewEncoder(w).Encode(o)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "\nThe local stage is ready.\n\n")
	for _, name := range slices.Sorted(maps.Keys(o.Template)) {
		fmt.Fprintf(table, "  %s\t%s\n", name, o.Template[name])
	}
	fmt.Fprintf(table, "  DevTokenUrl\t%s?user=alice\n", o.Local.DevTokenURL)
	fmt.Fprintf(table, "  DynamoDBUrl\t%s\n", o.Local.DynamoDBURL)
	fmt.Fprintf(table, "  LambdaUrl\t%s\n", o.Local.LambdaURL)
	fmt.Fprintf(table, "  CredentialsFile\t%s\n", o.Local.CredentialsFile)
	chat := "go run ./cmd/chat"
	if filepath.Clean(f.State) != ".localstage" {
		chat += " --outputs " + shellWord(filepath.Join(f.State, "outputs.json"))
	}
	fmt.Fprintf(table,
		"\nChat from two other terminals:\n\n  %s --as alice\n  %s --as bob\n\nCtrl-C stops the stage.\n", chat, chat)
	if page != "" {
		fmt.Fprintf(table, "\nOpen %s\n", page)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write the ready lines: %w", err)
	}
	return nil
}

// announceDynamoDB prints the address of the built-in DynamoDB: one line of JSON, or text for people.
func announceDynamoDB(w io.Writer, f flags, address string) error {
	if f.JSON {
		return json.NewEncoder(w).Encode(map[string]string{"DynamoDBUrl": address})
	}
	const text = "\nDynamoDB answers at %s\n\n  aws dynamodb list-tables --endpoint-url %[1]s\n\nCtrl-C stops it.\n"
	_, err := fmt.Fprintf(w, text, address)
	return err
}

// shellWord quotes text for a shell if it needs to be.
func shellWord(text string) string {
	if strings.IndexFunc(text, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("/._-+:@%", c)
	}) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
