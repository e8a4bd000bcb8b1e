package lambda

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
)

// CallFault is a fault at one call of an invocation to a service of AWS, so that a test can stop a function between any
// two of its steps. The zero value is none.
type CallFault struct {
	Service   string // that is called, by its name in signatures: dynamodb or execute-api
	Operation string // such as UpdateItem, or the method of an @connections request; empty: any
	Number    int    // of the call among those of the invocation to that operation, from 1; 0: no fault
	Effect    CallEffect
}

// CallEffect says what happens to a call under a CallFault.
type CallEffect int

const (
	// KillBefore kills the process, and the service does not do the call.
	KillBefore CallEffect = iota
	// KillAfter lets the service do the call, and kills the process before the answer.
	KillAfter
	// LoseAnswer lets the service do the call, and cuts the connection before the answer.
	LoseAnswer
	// DropCall answers 200 without a body, and the service does not do the call. It is for posts.
	DropCall
)

// callWatch finds the calls that the faults of running invocations name.
type callWatch struct {
	armed atomic.Int32 // number of plans, so that calls without any take no lock
	mu    sync.Mutex
	plans map[*invocation]*callPlan
}

// callPlan is the fault of one running invocation.
type callPlan struct {
	fault       CallFault
	environment *environment
	invocation  *invocation
	left        int // calls until the one that the fault names
}

// arm begins to watch for the fault of an invocation. The caller holds function.mu.
func (w *callWatch) arm(e *environment, inv *invocation) {
	fault := inv.fault.AtCall
	if fault.Number <= 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.plans[inv] = &callPlan{fault: fault, environment: e, invocation: inv, left: fault.Number}
	w.armed.Store(int32(len(w.plans))) //nolint:gosec // as many as there are processes
}

// disarm ends the watch for an invocation, which has ended. The caller holds function.mu.
func (w *callWatch) disarm(inv *invocation) {
	if inv == nil || inv.fault.AtCall.Number <= 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.plans, inv)
	w.armed.Store(int32(len(w.plans))) //nolint:gosec // as many as there are processes
}

// count counts a call and returns the plan whose call it is, or nil.
func (w *callWatch) count(service, operation string, r *http.Request) *callPlan {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, plan := range w.plans {
		if plan.fault.Service != service || plan.fault.Operation != "" && plan.fault.Operation != operation ||
			!plan.invocation.made(r, plan.environment.function) {
			continue
		}
		if plan.left--; plan.left == 0 {
			return plan
		}
	}
	return nil
}

// made reports whether the invocation has sent a request. The SDK sends the invocation's trace id along. A request
// without one counts for every invocation of the function whose keys have signed it: a test lets one run at a time.
// Source: aws-sdk-go-v2, RecursionDetection.
func (inv *invocation) made(r *http.Request, f *Function) bool {
	if trace := r.Header.Get("X-Amzn-Trace-Id"); trace != "" {
		id, err := url.PathUnescape(trace)
		return err == nil && id == inv.traceID
	}
	return strings.Contains(r.Header.Get("Authorization"), "Credential="+f.config.Credentials.AccessKeyID+"/")
}

// WatchCalls returns a handler before a service that functions call, which injects the faults at calls. operation
// returns the operation of a request, or "" for one that is no call of the service's API.
func (s *Service) WatchCalls(service string, operation func(*http.Request) string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var plan *callPlan
		if s.calls.armed.Load() > 0 {
			if name := operation(r); name != "" {
				plan = s.calls.count(service, name, r)
			}
		}
		if plan == nil {
			next.ServeHTTP(w, r)
			return
		}
		plan.inject(w, r, next)
	})
}

// inject does what the fault says to the call that it names.
func (p *callPlan) inject(w http.ResponseWriter, r *http.Request, next http.Handler) {
	switch p.fault.Effect {
	case DropCall:
		w.WriteHeader(http.StatusOK)
		return
	case KillBefore:
		if p.environment.killDuring(p.invocation) {
			<-p.environment.done
			panic(http.ErrAbortHandler) // net/http cuts the connection
		}
		next.ServeHTTP(w, r) // the invocation has ended meanwhile
		return
	}
	next.ServeHTTP(unheard{http.Header{}}, r)
	if p.fault.Effect == KillAfter && p.environment.killDuring(p.invocation) {
		<-p.environment.done
	}
	panic(http.ErrAbortHandler)
}

// unheard is an http.ResponseWriter that drops the answer.
type unheard struct{ header http.Header }

func (u unheard) Header() http.Header         { return u.header }
func (u unheard) WriteHeader(int)             {}
func (u unheard) Write(p []byte) (int, error) { return len(p), nil }
