package roomlog

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"signedsocket/shared/dynamo"
)

// TestARestoredLogGivesNoNumberTwice follows docs/operations.md: the copied items are changed so that the first message
// begins the log at the time. A client may have seen messages that are not in the backup.
func TestARestoredLogGivesNoNumberTwice(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	l := tb.log(7, 0)
	base := tb.send(t, l, "a")
	backup, err := tb.client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &tb.name})
	if err != nil {
		t.Fatal(err)
	}
	lost := tb.send(t, l, "not in the backup")

	restored := newTable(t)
	restored.pass(time.Hour)
	for _, item := range backup.Items {
		if dynamo.TextOf(item, "pk") == "LOGS" {
			item["first"] = dynamo.Number(restored.now().UnixMilli())
		} else {
			item["keep"] = dynamo.Number(0)
		}
		put := &dynamodb.PutItemInput{TableName: &restored.name, Item: item}
		if _, err := restored.client.PutItem(t.Context(), put); err != nil {
			t.Fatal(err)
		}
	}
	l = restored.log(7, 0)
	expectPage(t, "a client that was further", "none of +0", base)(l.After(t.Context(), lobby, lost))
	if next := restored.send(t, l, "b"); next <= lost {
		t.Errorf("the next message has the number %d, and %d was given before", next, lost)
	}
	if page, err := l.After(t.Context(), lobby, lost); err != nil || page.Complete || len(page.Entries) != 1 {
		t.Errorf("a client that was further reads %+v, %v", page, err)
	}
	if page, err := l.Before(t.Context(), lobby, lost+1, 50); err != nil || len(page.Entries) != 1 {
		t.Errorf("in front of it are %+v, %v; want the restored message", page, err)
	}
}
