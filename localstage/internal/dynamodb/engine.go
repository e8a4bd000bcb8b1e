package dynamodb

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"signedsocket/localstage/internal/clock"
	"signedsocket/localstage/internal/dice"
)

// Options configure an [Engine]. Only Path has no default.
type Options struct {
	// Path is the file that keeps the tables. Open makes it and its directory when they do not exist. One engine at a
	// time may use it.
	Path string

	// Clock drives time to live and idempotency tokens; nil means the machine's clock.
	Clock clock.Clock

	// TTL says whether and when the engine deletes items whose time to live is over. The zero value deletes none.
	TTL TTL

	// Sync makes every write wait for the disk. Without it a write survives the death of the process but perhaps
	// not a power cut, and is some ten times faster.
	Sync bool

	// Faults are those that the engine injects itself; see there.
	Faults Faults

	// Log gets a line for each item that the fault Expiry deletes. Nil discards it.
	Log *slog.Logger

	// Region and AccountID appear in the ARNs of tables; empty means us-east-1 and 111122223333.
	Region, AccountID string
}

// Engine is one DynamoDB of one account and region. It is safe for concurrent use.
type Engine struct {
	db        *bbolt.DB
	clock     clock.Clock
	ttl       TTL
	arnPrefix string
	log       *slog.Logger

	// The faults. Those that never occur are nil.
	torn      *tearing
	conflicts *conflicts
	expiry    *expiry
	lateness  float64 // Faults.LateDeletions
	deletions *dice.Dice

	mu     sync.RWMutex
	tables map[string]*table // by name; a copy of the file's tables, which saves each request a look-up

	stop    func() // ends the background deletions and waits for them
	closing sync.Once
}

// initialMap is the address space that the engine maps at its start. Early growth of the file then makes no writer wait
// for readers. It costs neither memory nor disk.
const initialMap = 64 << 20

// lockTimeout is the longest wait of Open for another engine that uses the file.
const lockTimeout = time.Second

// Open opens the engine's file, makes it if need be, and starts the deletion of expired items if the options ask for
// it. Its errors say what to do about them. The caller closes the engine.
func Open(options Options) (*Engine, error) {
	if err := os.MkdirAll(filepath.Dir(options.Path), 0o700); err != nil {
		return nil, fmt.Errorf("open DynamoDB file: %w; choose another state directory", err)
	}
	db, err := bbolt.Open(options.Path, 0o600, &bbolt.Options{
		Timeout:         lockTimeout,
		NoSync:          !options.Sync,
		NoGrowSync:      !options.Sync,
		NoFreelistSync:  true,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: initialMap,
		NoStatistics:    true,
	})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("open DynamoDB file %s: another stage uses it; stop that one or choose another state "+
			"directory", options.Path)
	}
	if err != nil {
		return nil, fmt.Errorf("open DynamoDB file %s: %w; remove it to begin with empty tables", options.Path, err)
	}
	e := &Engine{
		db:    db,
		clock: options.Clock,
		ttl:   options.TTL,
		arnPrefix: fmt.Sprintf("arn:aws:dynamodb:%s:%s:table/",
			cmp.Or(options.Region, "us-east-1"), cmp.Or(options.AccountID, "111122223333")),
	}
	if e.clock == nil {
		e.clock = clock.Machine{}
	}
	e.log = cmp.Or(options.Log, slog.New(slog.DiscardHandler))
	e.prepare(options.Faults)
	if err := e.load(); err != nil {
		return nil, fmt.Errorf("read DynamoDB file %s: %w", options.Path, errors.Join(err, db.Close()))
	}
	e.stop = e.startSweeping()
	return e, nil
}

// prepare makes the engine inject faults.
func (e *Engine) prepare(f Faults) {
	e.torn = newTearing(f)
	e.conflicts = newConflicts(f, e.clock)
	e.expiry = newExpiry(f, e.clock)
	e.lateness = f.LateDeletions
	e.deletions = dice.New(f.Seed, dice.Deletions)
}

// Buckets beside those of the tables' items.
var (
	tablesBucket       = []byte("tables")        // name → description
	tokensBucket       = []byte("tokens")        // idempotency token → expiry, request hash
	tokensExpiryBucket = []byte("tokens-expiry") // expiry, token → nothing
)

func (e *Engine) load() error {
	return e.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{tablesBucket, tokensBucket, tokensExpiryBucket} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		tables, err := loadTables(tx)
		e.tables = tables
		return err
	})
}

// Close waits for requests that the engine is answering, and closes the file. Later requests get an
// InternalServerError. A second Close does nothing.
func (e *Engine) Close() error {
	var err error
	e.closing.Do(func() {
		e.stop()
		err = e.db.Close()
	})
	if err != nil {
		return fmt.Errorf("close DynamoDB file: %w", err)
	}
	return nil
}
