package httpapi

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// CORS is the API's CorsConfiguration. Zero fields send no header.
type CORS struct {
	AllowOrigins     []string // exact origins, "*", "https://*" or "http://*"
	AllowMethods     []string
	AllowHeaders     []string
	ExposeHeaders    []string
	AllowCredentials bool
	MaxAge           int // seconds
}

func (c *CORS) validate() error {
	if c != nil && c.AllowCredentials && slices.Contains(c.AllowOrigins, "*") {
		return errors.New(`CORS: AllowCredentials cannot go with the origin "*"`)
	}
	return nil
}

// isPreflight reports whether the gateway answers the request itself, before routes and authorization.
// Source: API Gateway developer guide, "Configure CORS for HTTP APIs".
func (c *CORS) isPreflight(r *http.Request) bool {
	return c != nil && r.Method == http.MethodOptions &&
		r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// writePreflight answers 204. An origin that is not allowed gets no CORS header (the status is inferred), so the
// browser sends no request.
func (c *CORS) writePreflight(w http.ResponseWriter, origin string) {
	header := w.Header()
	if allowed := c.allowed(origin); allowed != "" {
		c.setOrigin(header, allowed)
		setList(header, "Access-Control-Allow-Methods", c.AllowMethods)
		setList(header, "Access-Control-Allow-Headers", c.AllowHeaders)
		if c.MaxAge > 0 {
			header.Set("Access-Control-Max-Age", strconv.Itoa(c.MaxAge))
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// apply sets the configured CORS headers on an answer, in place of those of the integration. That the gateway's own
// refusals carry them, too, is inferred.
// Source: API Gateway developer guide, "Configure CORS for HTTP APIs".
func (c *CORS) apply(header http.Header, origin string) {
	if c == nil {
		return
	}
	for name := range header {
		if strings.HasPrefix(name, "Access-Control-") {
			header.Del(name)
		}
	}
	if allowed := c.allowed(origin); allowed != "" {
		c.setOrigin(header, allowed)
		setList(header, "Access-Control-Expose-Headers", c.ExposeHeaders)
	}
}

// allowed returns the value of Access-Control-Allow-Origin for an origin, or "".
func (c *CORS) allowed(origin string) string {
	if origin == "" {
		return ""
	}
	for _, allow := range c.AllowOrigins {
		switch {
		case allow == "*":
			return "*"
		case allow == origin,
			(allow == "https://*" || allow == "http://*") && strings.HasPrefix(origin, strings.TrimSuffix(allow, "*")):
			return origin
		}
	}
	return ""
}

func (c *CORS) setOrigin(header http.Header, allowed string) {
	header.Set("Access-Control-Allow-Origin", allowed)
	if c.AllowCredentials {
		header.Set("Access-Control-Allow-Credentials", "true")
	}
}

func setList(header http.Header, name string, values []string) {
	if len(values) > 0 {
		header.Set(name, strings.Join(values, ","))
	}
}
