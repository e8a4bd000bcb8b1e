package localstage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"signedsocket/localstage/internal/dynamodb"
	"signedsocket/localstage/internal/gateway"
	"signedsocket/localstage/internal/issuer"
	"signedsocket/localstage/internal/template"
)

// start starts the stage. Cheap steps that find mistakes come first: the template and the ports before the build.
func (s *Stage) start(ctx context.Context) error {
	if err := os.MkdirAll(s.config.State, 0o700); err != nil {
		return fmt.Errorf("make the state folder: %w (choose another with --state)", err)
	}
	var err error
	if s.listeners, err = listen(s.config.Listen); err != nil {
		return err
	}
	at := s.listeners.addresses()
	if s.template, err = load(s.config, at.development); err != nil {
		return err
	}
	if s.leftOut, err = leaveOut(s.template, s.config); err != nil {
		return err
	}
	engine, err := s.openEngine(ctx) // before the build, which writes to a folder that another stage may be using
	if err != nil {
		return err
	}
	handlers, err := s.artifacts(ctx)
	if err != nil {
		return err
	}
	identities, err := newPrincipals(s.template, s.config)
	if err != nil {
		return err
	}
	if err := s.startFunctions(at, identities, handlers); err != nil {
		return err
	}
	if err := s.startDevelopment(ctx, at, identities, engine); err != nil {
		return err
	}
	if err := s.startAPIs(identities); err != nil {
		return err
	}
	if err := s.startSchedules(); err != nil {
		return err
	}
	return s.writeFiles(at, identities)
}

// addresses are the origins of a running stage, such as http://127.0.0.1:3001.
type addresses struct {
	httpAPI, webSocket, development string
}

func (l *listeners) addresses() addresses {
	return addresses{
		httpAPI:     "http://" + l.httpAPI.Addr().String(),
		webSocket:   "http://" + l.webSocket.Addr().String(),
		development: "http://" + l.development.Addr().String(),
	}
}

// load reads the template. The stage's own issuer vouches for users unless a parameter names another one.
func load(c Config, issuer string) (*template.Template, error) {
	t, err := readTemplate(c.Template, c.Parameters, issuer)
	if err != nil {
		return nil, err
	}
	if len(t.WebSocketAPIs) != 1 || len(t.HTTPAPIs) > 1 {
		return nil, fmt.Errorf("%s has %d WebSocket APIs and %d HTTP APIs: a local stage serves one WebSocket API "+
			"and at most one HTTP API",
			c.Template, len(t.WebSocketAPIs), len(t.HTTPAPIs))
	}
	return t, nil
}

// openEngine returns the DynamoDB of the stage: the built-in one, or that of Config.DynamoDBEndpoint. It opens the
// built-in one's file in any case. Only one stage at a time can have it open, so the file is the lock of the state
// folder.
func (s *Stage) openEngine(ctx context.Context) (http.Handler, error) {
	engine, err := openDynamoDB(s.config)
	if err != nil {
		return nil, err
	}
	s.engine = engine
	if s.config.DynamoDBEndpoint != "" {
		return dynamodb.Forward(ctx, s.config.DynamoDBEndpoint)
	}
	return engine, nil
}

// pageInDevelopment is the address of "next dev", whose page may sign in here.
const pageInDevelopment = "http://localhost:3000"

// startDevelopment serves the issuer, DynamoDB and Lambda's Invoke API, and makes
// the template's tables.
func (s *Stage) startDevelopment(ctx context.Context, at addresses, identities *principals, engine http.Handler) error {
	tokens, err := issuer.New(issuer.Config{
		Issuer:   at.development,
		Audience: s.audience(),
		ClientID: s.template.Outputs["OidcClientId"],
		Origins:  s.pageOrigins(at),
		Key:      s.config.IssuerKey,
		Now:      func() time.Time { return time.Now().Add(s.config.Faults.IssuerAhead) },
	})
	if err != nil {
		return err
	}
	s.dynamoDBFaults = dynamodb.NewInjector(engine, s.config.Faults.dynamoDB())
	front, err := dynamodb.NewFront(dynamodb.FrontOptions{
		Authority: identities.authority, Conditions: conditions, Tables: s.template.Tables,
		Region: Region, AccountID: AccountID, Log: s.config.Log,
	}, s.dynamoDBFaults)
	if err != nil {
		return err
	}
	if s.lambdaAPI, err = s.newLambdaAPI(identities); err != nil {
		return err
	}
	watched := s.functions.WatchCalls("dynamodb", dynamoDBOperation, front)
	s.serve(s.listeners.development, developmentOrigin(watched, s.lambdaAPI, tokens))
	return createTables(ctx, at.development, identities.admin, s.template.Tables)
}

// pageOrigins are the origins of the pages that may sign in: the stage's own, the one of "next dev", and those of other
// sites on this machine that may ask for URLs.
func (s *Stage) pageOrigins(at addresses) []string {
	origins := []string{at.httpAPI, pageInDevelopment}
	for _, api := range s.template.HTTPAPIs {
		if api.CORS != nil {
			origins = append(origins, api.CORS.AllowOrigins...)
		}
	}
	return origins
}

// audience returns the audience of development tokens: that of the template's first JWT authorizer.
func (s *Stage) audience() string {
	for _, api := range s.template.HTTPAPIs {
		for _, route := range api.Routes {
			if route.Authorizer != nil && len(route.Authorizer.Audience) > 0 {
				return route.Authorizer.Audience[0]
			}
		}
	}
	return "signedsocket"
}

// serve answers requests on l until the stage is closed.
func (s *Stage) serve(l net.Listener, handler http.Handler) {
	server := &http.Server{
		Handler:           onlyLoopbackHosts(handler),
		ReadHeaderTimeout: 10 * time.Second,
		ConnContext:       gateway.ConnContext, // does nothing for listeners that record no heads
		ErrorLog:          slog.NewLogLogger(s.config.Log.Handler(), slog.LevelWarn),
	}
	s.servers = append(s.servers, server)
	s.serving.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.config.Log.Error("an address stopped answering", "address", l.Addr().String(), "error", err)
		}
	})
}

// writeFiles writes the files for users of the stage: credentials first, so that they exist when outputs.json appears.
func (s *Stage) writeFiles(at addresses, identities *principals) error {
	credentials, err := filepath.Abs(filepath.Join(s.config.State, "credentials"))
	if err != nil {
		return fmt.Errorf("write credentials: %w", err)
	}
	if err := identities.writeFile(credentials); err != nil {
		return err
	}
	s.written = append(s.written, credentials)
	rewrite := newRewriter(s.template, at)
	s.outputs = Outputs{Template: make(map[string]string, len(s.template.Outputs)), Local: Local{
		DevTokenURL:     at.development + "/dev/token",
		DynamoDBURL:     at.development,
		LambdaURL:       at.development,
		CredentialsFile: credentials,
	}}
	for name, value := range s.template.Outputs {
		s.outputs.Template[name] = rewrite.value(value)
	}
	if err := s.outputs.writeFile(s.OutputsFile()); err != nil {
		return err
	}
	s.written = append(s.written, s.OutputsFile())
	return nil
}
