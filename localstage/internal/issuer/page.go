package issuer

import (
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

var (
	//go:embed page/authorize.html
	pageText string
	//go:embed page/style.css
	styleText string

	page = template.Must(template.New("authorize").Parse(pageText))
)

// view is what the page shows. Problem is for the developer who has made a mistake,
// and in English.
type view struct {
	Client, Problem, Hint string
	Users                 []string
	CanSignIn             bool
	Text                  texts
}

// texts are the page's words in one language.
type texts struct {
	Language, Title, Heading, To, Anybody, Another, SignIn, Rule, Second string
}

func english() texts {
	return texts{
		Language: "en", Title: "Sign in to the local stage", Heading: "Who are you?",
		To:      "You are signing in to",
		Anybody: "This is the local stage: anybody may be anybody, and nobody has a password.",
		Another: "Another name", SignIn: "Sign in", Rule: "1 to 32 characters: a–z, 0–9 and the hyphen.",
		Second: "For a second user at the same time, open a private window.",
	}
}

func japanese() texts {
	return texts{
		Language: "ja", Title: "ローカルステージにサインイン", Heading: "だれとして使いますか?",
		To: "サインイン先", Anybody: "これはローカルステージです。パスワードはなく、だれにでもなれます。",
		Another: "別の名前", SignIn: "サインイン", Rule: "1〜32文字。使えるのは a–z、0–9、ハイフンです。",
		Second: "同時にもう一人を使うときは、プライベートウィンドウを開いてください。",
	}
}

// textsFor chooses between the two by the first language that the browser asks for.
func textsFor(r *http.Request) texts {
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "ja") {
		return japanese()
	}
	return english()
}

// show writes the page. Its form may lead on to redirect's origin and nowhere else.
func show(w http.ResponseWriter, r *http.Request, status int, redirect *url.URL, v view) {
	v.Text = textsFor(r)
	formAction := "'self'"
	if redirect != nil {
		formAction += " " + redirect.Scheme + "://" + redirect.Host
		v.CanSignIn, v.Client, v.Users = true, redirect.Host, []string{"alice", "bob", "carol"}
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "+formAction)
	header.Set("Referrer-Policy", "same-origin")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	header.Set("Vary", "Accept-Language")
	w.WriteHeader(status)
	_ = page.Execute(w, v) // the browser may be gone; nobody is left to tell
}

func serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write([]byte(styleText))
}
