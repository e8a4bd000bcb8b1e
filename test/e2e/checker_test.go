package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"signedsocket/internal/load/checker"
	"signedsocket/internal/stageclient"
	"signedsocket/localstage"
	"signedsocket/localstage/stagetest"
)

// soakVariable sets how long the clients of TestRoomsRememberEverythingInSpiteOfFaults talk, as in "30m".
const soakVariable = "SIGNEDSOCKET_SOAK"

// calmTimeout bounds how long the clients need at the end for what they have not sent or read.
const calmTimeout = 2 * time.Minute

// troubles are the faults of a long run: all that may happen to a stage on AWS, more often than there.
func troubles(seed uint64) localstage.Faults {
	return localstage.Faults{
		DropTCP: 0.02, KillFunctions: 0.03, LimitPosts: 0.02, LosePosts: 0.05, GonePosts: 0.002,
		DynamoDBThrottle: 0.03, TransactionConflicts: 0.05, LoseAnswers: 0.03, DelayDynamoDB: 4 * time.Millisecond,
		TornQueries: 0.05, ExpireBlocks: localstage.ExpireBlocks{Share: 0.02, Prefix: "LOG#"}, Seed: seed,
	}
}

// TestRoomsRememberEverythingInSpiteOfFaults lets clients talk in five rooms while frames get lost, functions are
// killed, connections are cut, and the stage restarts. At the end every message is in the log once, and every client
// has shown the log without a hole, once, in its order.
func TestRoomsRememberEverythingInSpiteOfFaults(t *testing.T) {
	t.Parallel()
	localOnly(t, "injects faults and restarts the stage")
	lasts, seed := 15*time.Second, uint64(1)
	if text := os.Getenv(soakVariable); text != "" {
		long, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("%s: %v; say a time such as 30m", soakVariable, err)
		}
		lasts, seed = long, uint64(time.Now().Unix())
	}
	recording := remember(t, lasts, seed)
	found := checker.Check(recording)
	for i, f := range found {
		if i == 20 {
			t.Errorf("and %d more", len(found)-i)
			break
		}
		t.Errorf("%s: %s", f.Promise, f.Text)
	}
	verdict := checker.Verdict(recording, found)
	fmt.Printf("seed %d, %s\n%s\n", seed, seen(recording), verdict) // also without -v
	stored := 0
	for _, s := range recording.Sends {
		stored += min(int(s.Seq), 1)
	}
	deleted := 0
	for _, d := range recording.Deletions {
		deleted += int(min(d.Note, 1))
	}
	if deleted < 5 {
		t.Errorf("only %d of %d deletions were acknowledged: the run shows too little", deleted,
			len(recording.Deletions))
	}
	if stored < 20 || stored < len(recording.Sends)/2 {
		t.Errorf("only %d of %d messages were acknowledged: the run shows too little", stored, len(recording.Sends))
	}
}

// seen counts what happened in a run.
func seen(r *checker.Recording) string {
	returns, gaps := 0, 0
	for _, view := range r.Views {
		for _, item := range view.Shown {
			switch item.Kind {
			case checker.AReturn:
				returns++
			case checker.AGap:
				gaps++
			}
		}
	}
	return fmt.Sprintf("%d messages under their first number, %d answers with history, %d returns to a room, "+
		"%d blocks expired, %d gaps shown", len(r.Frames), len(r.Answers), returns, len(r.Expired), gaps)
}

// remember runs clients at a stage with troubles, restarts it now and then, and at last without troubles.
func remember(t *testing.T, lasts time.Duration, seed uint64) *checker.Recording {
	t.Helper()
	const clientRooms = 3
	clients, pace := 10, 500*time.Millisecond // between two messages of a client
	if lasts > time.Minute {
		clients, pace = 50, 2500*time.Millisecond
	}
	rooms := []string{"room-1", "room-2", "room-3", "room-4", "room-5"}
	run := &recordedRun{t: t, recorder: checker.NewRecorder(), calm: make(chan struct{})}
	run.long, run.silence = lasts > time.Minute, make(chan struct{})
	stages := &restarts{t: t, run: run, rooms: rooms, state: t.TempDir(), blocks: map[string]map[int64]time.Time{}}
	stages.start(troubles(seed))
	run.talking.Store(true)
	run.busy.Add(clients)
	ctx, cancel := context.WithTimeout(t.Context(), lasts+calmTimeout)
	defer cancel()
	var all sync.WaitGroup
	for n := range clients {
		own := append(slices.Clone(rooms), rooms...)[n%len(rooms):][:clientRooms]
		all.Go(func() { run.client(n, own, pace, seed).talk(ctx) })
	}
	stages.keep(ctx, lasts, seed)
	run.talking.Store(false)
	close(run.silence)
	stages.restart(localstage.Faults{})
	run.final.Store(true)
	go func() { run.busy.Wait(); close(run.calm) }()
	all.Wait()
	logs := stages.logs(ctx)
	stages.record(logs)
	return run.recorder.Finish(logs, func(int, string) bool { return true })
}

// restarts is one stage after the other on the same table.
type restarts struct {
	t      *testing.T
	run    *recordedRun
	rooms  []string
	state  string
	stage  *stagetest.Stage
	known  int                            // items of the stage that are recorded as expired
	looked time.Time                      // when expired items were looked for
	blocks map[string]map[int64]time.Time // by room and first number: when an expired block was still there
}

func (r *restarts) start(faults localstage.Faults) {
	r.t.Helper()
	var client *stageclient.Client
	r.stage, client = startStage(r.t, stagetest.Options{State: r.state, Faults: faults, Parameters: map[string]string{
		"HistoryDays": "7", "MessagesPerWindow": "1000", "DefaultRooms": strings.Join(r.rooms, ","),
	}})
	r.known, r.looked = 0, time.Now()
	r.run.stage.Store(client)
}

func (r *restarts) restart(faults localstage.Faults) {
	r.t.Helper()
	r.expired()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.t.Context()), 30*time.Second)
	defer cancel()
	if err := r.stage.Close(ctx); err != nil {
		r.t.Errorf("close the stage: %v", err)
	}
	r.expired()
	r.start(faults)
}

// keep restarts the stage with troubles, in the middle of a short run and each five minutes of a long one.
func (r *restarts) keep(ctx context.Context, lasts time.Duration, seed uint64) {
	r.t.Helper()
	every := min(lasts/2, 5*time.Minute)
	look, next := time.NewTicker(time.Second), time.Now().Add(every)
	defer look.Stop()
	for ends := time.Now().Add(lasts); time.Now().Before(ends) && ctx.Err() == nil; <-look.C {
		r.expired()
		if time.Now().After(next) {
			seed++
			r.restart(troubles(seed))
			next = time.Now().Add(every)
		}
	}
}

// expired notes the blocks that have expired since the last look. They have expired after that look.
func (r *restarts) expired() {
	items := r.stage.ExpiredItems()
	for _, item := range items[r.known:] {
		first, err := strconv.ParseInt(item.Sort, 10, 64)
		if err != nil {
			r.t.Errorf("a block has the key %q", item.Sort)
		}
		room := strings.TrimPrefix(item.Partition, "LOG#")
		if r.blocks[room] == nil {
			r.blocks[room] = map[int64]time.Time{}
		}
		r.blocks[room][first] = r.looked
	}
	r.known, r.looked = len(items), time.Now()
}

// record records the expired blocks. A block ends where the next one begins, which is in the log or has expired, too.
func (r *restarts) record(logs map[string]checker.Log) {
	for room, firsts := range r.blocks {
		ends := slices.Collect(maps.Keys(firsts))
		for _, entry := range logs[room].Entries {
			ends = append(ends, entry.Seq)
		}
		slices.Sort(ends)
		for first, at := range firsts {
			i, _ := slices.BinarySearch(ends, first+1)
			if i == len(ends) {
				r.t.Fatalf("the last block of %s has expired", room)
			}
			r.run.recorder.Expire(checker.Expired{Room: room, First: first, Last: ends[i] - 1, At: at})
		}
	}
}

// logs reads the logs of all rooms.
func (r *restarts) logs(ctx context.Context) map[string]checker.Log {
	r.t.Helper()
	conn, _, err := r.run.stage.Load().ConnectWithHistory(ctx, "reader", r.rooms...)
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Abort()
	logs, reader := map[string]checker.Log{}, stageclient.NewLogReader(conn)
	for _, room := range r.rooms {
		entries, _, err := reader.Read(ctx, room, 0)
		if err != nil {
			r.t.Fatal(err)
		}
		logs[room] = checker.Log{At: time.Now(), Entries: entries}
	}
	return logs
}
