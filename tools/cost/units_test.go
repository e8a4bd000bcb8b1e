package cost

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"signedsocket/localstage/stagetest"
	"signedsocket/shared/connections"
	"signedsocket/shared/roomlog"
)

// meter is a DynamoDB client that adds up what its calls consume.
type meter struct {
	*dynamodb.Client
	mu            sync.Mutex
	reads, writes float64
}

func (m *meter) read(c *types.ConsumedCapacity, err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		m.reads += *c.CapacityUnits
	}
	return err
}

func (m *meter) write(err error, consumed ...types.ConsumedCapacity) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range consumed {
		m.writes += *c.CapacityUnits
	}
	return err
}

func (m *meter) GetItem(ctx context.Context, in *dynamodb.GetItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := m.Client.GetItem(ctx, in, o...)
	return out, m.read(out.ConsumedCapacity, err)
}

func (m *meter) Query(ctx context.Context, in *dynamodb.QueryInput,
	o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := m.Client.Query(ctx, in, o...)
	return out, m.read(out.ConsumedCapacity, err)
}

func (m *meter) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := m.Client.UpdateItem(ctx, in, o...)
	return out, m.write(err, *out.ConsumedCapacity)
}

func (m *meter) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := m.Client.DeleteItem(ctx, in, o...)
	return out, m.write(err, *out.ConsumedCapacity)
}

func (m *meter) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput,
	o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := m.Client.TransactWriteItems(ctx, in, o...)
	return out, m.write(err, out.ConsumedCapacity...)
}

// newMeter returns a client of an engine of the test's own with an empty table.
func newMeter(t *testing.T, table string) *meter {
	t.Helper()
	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(stagetest.DynamoDB(t)), Region: region,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
	key := func(name string, kind types.KeyType) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: &name, KeyType: kind}
	}
	text := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS}
	}
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{text("pk"), text("sk")},
		KeySchema:            []types.KeySchemaElement{key("pk", types.KeyTypeHash), key("sk", types.KeyTypeRange)},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("bans"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{text("id")},
		KeySchema:            []types.KeySchemaElement{key("id", types.KeyTypeHash)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &meter{Client: client}
}

// TestFunctionsConsumeTheUnitsOfTheModel calls the table with the functions' own code.
func TestFunctionsConsumeTheUnitsOfTheModel(t *testing.T) {
	t.Parallel()
	const members = 500
	m := newMeter(t, "connections")
	store := connections.New(m, connections.Tables{Connections: "connections", Bans: "bans"},
		connections.Limits{ConnectionsPerUser: 2})
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	id := func(i int) string { return fmt.Sprintf("Connection%04d=", i) } // as long as the gateway's
	step := func(what string, reads, writes float64, do func() error) {
		t.Helper()
		m.reads, m.writes = 0, 0
		if err := do(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if m.reads != reads || m.writes != writes {
			t.Errorf("%s consumed %v read and %v write units, the model has %v and %v",
				what, m.reads, m.writes, reads, writes)
		}
	}
	for i := range members {
		step("connect", connectReads, connectWrites, func() error {
			_, err := store.Connect(t.Context(), connections.Admission{
				ConnectionID: id(i), ConnectedAt: now, Rooms: []string{"lobby"},
				Subject: fmt.Sprintf("a7c81f5e-2b2d-4a36-9f43-%012d", i), Name: "Somebody",
				SessionEndsAt: now.Add(time.Hour), AuthenticatedAt: now,
				Ticket: fmt.Sprint("ticket-", i), TicketExpiresAt: now.Add(time.Minute),
			}, now)
			return err
		})
	}
	step("count a message", 0, messageWrites,
		func() error { _, err := store.Touch(t.Context(), id(0), now); return err })
	log, position := roomlog.New(m, "connections", 7), int64(0)
	m.reads, m.writes = 0, 0
	for i := range members {
		stored, _, err := log.Append(t.Context(), log.Look(t.Context(), "lobby", position), roomlog.Entry{
			ID: fmt.Sprintf("%026d", i), Subject: "a7c81f5e-2b2d-4a36-9f43-000000000000", Name: "Somebody",
			Text: strings.Repeat("x", 100), At: time.Now(),
		})
		if err != nil {
			t.Fatal(err)
		}
		position = stored.Seq
	}
	if reads, writes := m.reads/members, m.writes/members; math.Abs(reads-appendReads) > 0.1 ||
		math.Abs(writes-appendWrites) > 0.1 {
		t.Errorf("a message consumed %.2f read and %.2f write units, the model has %v and %v",
			reads, writes, appendReads, appendWrites)
	}
	step("a page of history", pageReads, 0, func() error { _, err := log.Last(t.Context(), "lobby", 50); return err })
	step("news", syncReads, 0, func() error { _, err := log.After(t.Context(), "lobby", position); return err })
	step("list the room", (Room{Members: members, Shards: 1}).reads(), 0, func() error {
		for _, err := range store.Members(t.Context(), "lobby", now) {
			if err != nil {
				return err
			}
		}
		return nil
	})
	presenceSteps(t, m, store, now)
	step("disconnect", disconnectReads, disconnectWrites, func() error {
		_, err := store.Remove(t.Context(), id(0), time.Time{})
		return err
	})
	var due []connections.Sweep
	step("remember a sweep", 0, sweeperWrites, func() error {
		return store.Finish(t.Context(), nil, now.Add(-time.Minute))
	})
	step("an empty sweep", sweeperReads, 0, func() error {
		for _, err := range store.Due(t.Context(), now) {
			if err != nil {
				return err
			}
		}
		return nil
	})
	for page, err := range store.Due(t.Context(), now.Add(time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		due = append(due, page...)
	}
	step("sweep one", 0, sweepWrites, func() error { return store.RemoveSweep(t.Context(), due[0]) })
}
