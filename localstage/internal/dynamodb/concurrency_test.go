package dynamodb

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// atOnce runs n functions together and waits for all.
func atOnce(n int, run func(i int)) {
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-start
			run(i)
		})
	}
	close(start)
	group.Wait()
}

func TestPutIfAbsentHasOneWinner(t *testing.T) {
	t.Parallel()
	f := simple(t, engineClient(t))
	for round := range 5 {
		f.pk = fmt.Sprint("round ", round)
		var winners, losers atomic.Int32
		atOnce(64, func(i int) {
			switch _, err := f.put(m{"winner": i}, condIs("attribute_not_exists(pk)")); code(err) {
			case "":
				winners.Add(1)
			case "ConditionalCheckFailedException":
				losers.Add(1)
			}
		})
		if winners.Load() != 1 || losers.Load() != 63 {
			t.Errorf("round %d: %d winners and %d losers", round, winners.Load(), losers.Load())
		}
	}
}

func TestConcurrentAddsAllCount(t *testing.T) {
	t.Parallel()
	f := simple(t, engineClient(t))
	f.pk = "counter"
	atOnce(32, func(int) {
		for range 20 {
			if _, err := f.update("ADD n :1", values(m{":1": 1})); err != nil {
				t.Error(err)
			}
		}
	})
	f.holds("{n:640}")
	f.report(t)
}

// Transactions move money between accounts, while other transactions read all accounts. The sum is always the same, and
// no account is overdrawn.
func TestConcurrentTransactionsKeepTheSum(t *testing.T) {
	t.Parallel()
	const accounts, balance = 8, 50
	client := engineClient(t)
	f := simple(t, client)
	var gets []types.TransactGetItem
	for i := range accounts {
		if err := f.transact(f.txPut(strconv.Itoa(i), m{"n": balance}, "")); err != nil {
			t.Fatal(err)
		}
		gets = append(gets,
			types.TransactGetItem{Get: &types.Get{TableName: &f.table, Key: f.suffixed(strconv.Itoa(i))}})
	}
	atOnce(12, func(worker int) {
		for i := range 20 {
			if worker%4 == 0 {
				checkSum(t, client, gets, accounts*balance)
				continue
			}
			from, to := (worker+i)%accounts, (worker*3+i*5+1)%accounts
			if from == to {
				continue
			}
			amount := m{":a": (worker*7 + i*13) % 40}
			err := f.transact(f.txUpdate(strconv.Itoa(from), "SET n = n - :a", "n >= :a", amount),
				f.txUpdate(strconv.Itoa(to), "SET n = n + :a", "", amount))
			var canceled *types.TransactionCanceledException
			if err != nil && !errors.As(err, &canceled) {
				t.Error(err)
			}
		}
	})
	checkSum(t, client, gets, accounts*balance)
}

func checkSum(t *testing.T, client *awsdynamodb.Client, gets []types.TransactGetItem, want int) {
	output, err := client.TransactGetItems(t.Context(), &awsdynamodb.TransactGetItemsInput{TransactItems: gets})
	if err != nil {
		t.Error(err)
		return
	}
	sum := 0
	for _, response := range output.Responses {
		n, err := strconv.Atoi(showValue(response.Item["n"]))
		if err != nil || n < 0 {
			t.Errorf("balance %s: %v", showValue(response.Item["n"]), err)
		}
		sum += n
	}
	if sum != want {
		t.Errorf("the sum is %d, want %d", sum, want)
	}
}

// A query reads pages while other requests put and delete items. It must find every item that exists all the time.
func TestPagesUnderChangeMissNothing(t *testing.T) {
	t.Parallel()
	client := engineClient(t)
	makeTable(t, client, "byS", "S")
	f := fixture{ctx: t.Context(), target: target{client: client}, table: "byS", pk: "room"}
	for i := range 50 {
		g := f
		g.sk = fmt.Sprintf("stays-%02d", i)
		if _, err := g.put(nil); err != nil {
			t.Fatal(err)
		}
	}
	atOnce(4, func(worker int) {
		g := f
		for i := range 30 {
			if worker > 0 {
				g.sk = fmt.Sprintf("stays-%02d-goes-%d", i, worker)
				if _, err := g.put(nil); err != nil {
					t.Error(err)
				}
				if _, err := g.delete(); err != nil {
					t.Error(err)
				}
				continue
			}
			if found := countStaying(t, &g); found != 50 {
				t.Errorf("found %d of 50 items", found)
			}
		}
	})
}

func countStaying(t *testing.T, f *fixture) int {
	pages := awsdynamodb.NewQueryPaginator(f.client,
		&awsdynamodb.QueryInput{TableName: &f.table, KeyConditionExpression: aws.String("pk = :p"),
			ExpressionAttributeValues: m{":p": f.pk}.attributes(), Limit: aws.Int32(7)})
	found := 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(f.ctx)
		if err != nil {
			t.Error(err)
			return 0
		}
		for _, item := range page.Items {
			if len(showValue(item["sk"])) == len(`"stays-00"`) {
				found++
			}
		}
	}
	return found
}

// Requests run while their table is made and deleted again and again. They find it or not, but never another table's
// items.
func TestTablesAreMadeAndDeletedUnderRequests(t *testing.T) {
	t.Parallel()
	client := engineClient(t)
	f := &fixture{ctx: t.Context(), target: target{client: client}, table: "fleeting", pk: "x"}
	atOnce(4, func(worker int) {
		for i := range 25 {
			if worker == 0 {
				if i%2 == 0 {
					makeTable(t, client, "fleeting", "")
				} else if _, err := client.DeleteTable(t.Context(),
					&awsdynamodb.DeleteTableInput{TableName: &f.table}); err != nil {
					t.Error(err)
				}
				continue
			}
			if _, err := f.put(nil); code(err) != "" && code(err) != "ResourceNotFoundException" {
				t.Error(err)
			}
		}
	})
}
