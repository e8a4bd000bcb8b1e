package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/go-json-experiment/json/jsontext"

	"signedsocket/shared/dynamo"
	"signedsocket/shared/dynamo/dynamotest"
	"signedsocket/shared/logging"
	"signedsocket/shared/markers"
	"signedsocket/shared/roomlog"
)

func TestMain(m *testing.M) { dynamotest.Main(m) }

// world is a handler on a table of its own.
type world struct {
	t      *testing.T
	client *dynamodb.Client
	table  string
	log    *roomlog.Log
	h      *handler
	lines  *bytes.Buffer
}

func newWorld(t *testing.T, days int) *world {
	t.Helper()
	client, lines := dynamotest.Client(http.DefaultTransport), new(bytes.Buffer)
	w := &world{t: t, client: client, table: dynamotest.CreateTable(t, client, "pk", "sk"), lines: lines}
	w.log = roomlog.New(client, w.table, 7)
	w.h = &handler{
		log: logging.New(lines), salt: w.table, stackID: "stack", issuer: "https://issuer", now: time.Now,
		rooms:   roomlog.New(client, w.table, days),
		markers: markers.Eraser{API: client, Table: w.table},
	}
	return w
}

// say appends messages of users to a room.
func (w *world) say(room string, users ...string) {
	w.t.Helper()
	for _, user := range users {
		e := roomlog.Entry{
			ID: fmt.Sprintf("%p %d", w, time.Now().UnixNano()), Subject: user, Name: "name of " + user,
			Text: "text of " + user, At: time.Now(),
		}
		if _, _, err := w.log.Append(w.t.Context(), w.log.Look(w.t.Context(), room, roomlog.NotKnown), e); err != nil {
			w.t.Fatal(err)
		}
	}
}

// read writes read markers of a user.
func (w *world) read(user string, rooms ...string) {
	w.t.Helper()
	for _, room := range rooms {
		_, err := w.client.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: &w.table, Item: dynamo.Item{
			"pk": dynamo.Text("READ#" + user), "sk": dynamo.Text(room), "seq": dynamo.Number(1),
		}})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

// dump returns all items of the table as one text.
func (w *world) dump() string {
	w.t.Helper()
	out, err := w.client.Scan(w.t.Context(), &dynamodb.ScanInput{TableName: &w.table})
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := json.Marshal(out.Items)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// erase sends the function one request, with all the time it needs.
func (w *world) erase(r string) answer {
	w.t.Helper()
	return w.ask(w.t.Context(), r)
}

func (w *world) ask(ctx context.Context, r string) answer {
	w.t.Helper()
	result, err := w.h.handle(ctx, jsontext.Value(`{"erase":`+r+`}`))
	if err != nil {
		w.t.Fatal(err)
	}
	return result.(answer)
}

// shows returns the entries of a room as a member reads them.
func (w *world) shows(room string) string {
	w.t.Helper()
	page, err := w.log.Last(w.t.Context(), room, 50)
	if err != nil {
		w.t.Fatal(err)
	}
	var entries []string
	for _, e := range page.Entries {
		switch {
		case e.Deleted:
			entries = append(entries, "deleted")
		case e.Erased != "":
			entries = append(entries, "erased "+e.Erased)
		default:
			entries = append(entries, e.Text)
		}
	}
	return strings.Join(entries, ", ")
}
