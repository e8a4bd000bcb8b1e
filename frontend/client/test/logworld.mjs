// A server with the log of one room, clients of it, and a network between them that loses, repeats, delays and cuts.
// Time is a number. The same seed gives the same run.

/** Random numbers from a seed (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Violation extends Error {}

function hold(condition, text) {
  if (!condition) throw new Violation(text());
}

/** The log of a room, with numbers without a hole. Its oldest entries expire. */
class Server {
  entries = [];
  kept = 0; // entries before this one have expired
  texts = new Map(); // number → every text that it ever had
  deleted = new Set(); // numbers of messages that were deleted or erased
  read = 0; // up to where the user has read, who has two clients
  users = 0; // connections, and how often they changed
  changes = 0;
  losses = []; // the numbers that were not kept: [after, upto]
  restored = false;

  constructor(page) {
    this.page = page;
  }

  append(text, over) {
    const last = this.entries.at(-1)?.seq ?? 1_000_000;
    const seq = this.kept < this.entries.length ? last + 1 : last + 1000;
    if (seq !== last + 1) this.losses.push([last, seq]);
    // Some entries are no messages: the number of a deleted one, for example.
    const said = text?.endsWith("7") ? undefined : text;
    this.entries.push({ seq, text: said, id: `${seq} ${text}`, sub: `user ${seq % 3}`, ...over });
    this.texts.set(seq, [...(this.texts.get(seq) ?? []), said]);
    return this.entries.at(-1);
  }

  /** The messages of one user, or those of all that are kept. */
  said(sub) {
    const entries = this.entries.slice(sub ? 0 : this.kept);
    return entries.filter((entry) => entry.text !== undefined && sub === (sub && entry.sub));
  }

  /** Takes the text of a message. The entry stays, without a text and an author. */
  takeText(entry) {
    this.deleted.add(entry.seq);
    Object.assign(entry, { text: undefined, sub: "", isDeleted: true });
  }

  expire(count) {
    const from = this.entries[this.kept]?.seq;
    this.kept = Math.min(this.entries.length, this.kept + count);
    if (from !== undefined) this.losses.push([from - 1, (this.entries[this.kept - 1]?.seq ?? from) + 1]);
  }

  /** The table is restored: the last entries are gone, and their numbers are used again. */
  restore(count) {
    this.entries.length = Math.max(this.kept + 1, this.entries.length - count);
    this.restored = true;
  }

  get head() {
    return this.kept < this.entries.length ? this.entries.at(-1).seq : 0;
  }

  /** The place of the first entry above a number. */
  #above(seq) {
    let [low, high] = [0, this.entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.entries[middle].seq > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  answer(want, limit) {
    const { entries, kept, page } = this;
    const answer = { ...want, head: this.head, complete: false, keepDays: 1e-9 };
    delete answer.limit;
    if (want.after !== undefined) {
      const next = this.#above(want.after);
      const from = Math.max(next, kept);
      const complete =
        want.after === 0 || next === entries.length || (next === from && entries[next].seq === want.after + 1);
      return { ...answer, entries: entries.slice(from, from + page), complete, more: from + page < entries.length };
    }
    const end = want.before === undefined ? entries.length : Math.max(kept, this.#above(want.before - 1));
    const from = Math.max(kept, end - Math.min(limit, page));
    return { ...answer, entries: entries.slice(from, end), more: from > kept };
  }
}

const hashOf = (sub) => `hash of ${sub}`;

/** An entry as it is at this time, as a client reads it. */
function itemOf({ seq, text, id, sub, isDeleted: deleted, of, erased, author }, client) {
  if (text === undefined && !deleted) return { seq, of, erased };
  const from = { sub, name: sub };
  return { seq, message: { id, seq, text: text ?? "", from, own: author === client, sentAt: seq, deleted } };
}

class Client {
  connection = 0; // 0: none
  wakesAt = Infinity;
  highest = 0; // the highest number that was pushed
  requests = 0;
  allowed = 0; // how many requests there is a reason for
  gaps = new Set(); // positions above which something was missing

  constructor(world, Room) {
    this.world = world;
    this.room = new Room(world.random, world.page, world.most);
  }

  /** Lets the room do what is due, as the client does after each event. */
  act() {
    const { world, room } = this;
    // At 0 several logs may begin and expire, one after the other.
    if (this.highest > room.position) this.gaps.add(room.position || -this.requests);
    if (!this.isOpen) return;
    if (room.giveUp(world.now)) this.allowed++;
    this.ask((id) => room.ask(id, world.now));
    this.wake(world.now + room.wait(world.now));
  }

  /** Looks at an entry as the client does: it hashes authors, and an own message was read. */
  item(item) {
    const { seq, message } = item;
    const { room, world } = this;
    if (message?.own) room.markRead(seq);
    if (!message || message.deleted || room.log.knows(message.from.sub)) return item;
    const { sub } = message.from;
    room.log.identify(sub, "");
    world.at(world.now + world.random() * 100, () => room.log.identify(sub, hashOf(sub)));
    return item;
  }

  /** The frame says how far the user has read, if the server does not know, and may ask for the users. */
  tell(asksHere) {
    const { server } = this.world;
    const seq = this.room.untold;
    return () => {
      server.read = Math.max(server.read, seq ?? 0);
      if (!asksHere) return;
      const presence = { n: server.changes, count: server.users };
      const from = this.connection;
      this.world.deliver(this, () => this.room.present(presence, from));
    };
  }

  /** The page is hidden. */
  hide() {
    if (this.isOpen && this.room.untold) this.world.deliver(this, this.tell(false));
  }

  get isOpen() {
    return this.connection > 0 && this.openedAt <= this.world.now;
  }

  learned({ seq }) {
    this.highest = Math.max(this.highest, seq);
    this.act();
  }

  wake(time) {
    if (time >= this.wakesAt) return;
    const { connection } = this;
    this.wakesAt = time;
    this.world.at(time, () => {
      if (connection !== this.connection || this.wakesAt !== time) return;
      this.wakesAt = Infinity;
      this.act();
    });
  }

  ask(question) {
    const { world, room, connection } = this;
    const id = `h${this.requests + 1}`;
    const want = question(id);
    if (!want) return;
    this.requests++;
    this.asking = want;
    const { asksHere } = room;
    room.asksHere = false;
    const tell = this.tell(asksHere);
    world.deliver(this, () => {
      tell();
      const { entries, ...rest } = { clientId: id, ...world.server.answer(want, want.limit ?? want.last) };
      const items = entries.map((entry) => itemOf(entry, this));
      const { read } = world.server;
      world.deliver(this, () => {
        if (connection !== this.connection) return;
        room.told(read);
        if (this.asking === want) this.asking = undefined;
        if (rest.after !== undefined && rest.more) this.allowed += 2; // the next page, or the last one
        // The pushed entries have expired.
        if (rest.after > rest.head || (rest.after === 0 && rest.head === 0 && this.highest > 0)) {
          this.allowed += 1 + this.gaps.size;
          this.gaps.clear(); // numbers may be used again
          this.highest = 0;
        }
        const quiet = rest.after !== undefined && !entries.length && rest.complete && !rest.more;
        if (quiet) room.synced(id, rest.head, world.now);
        else room.answer({ ...rest, entries: items.map((item) => this.item(item)) }, world.now);
        this.act();
      });
    });
  }

  open() {
    const { world } = this;
    const connection = (this.connection = ++world.connections);
    world.server.users++;
    world.server.changes++;
    this.openedAt = world.now + world.random() * 100;
    this.allowed++;
    world.at(this.openedAt, () => {
      if (connection !== this.connection) return;
      this.room.opened();
      this.act();
    });
  }

  cut() {
    const { world } = this;
    if (this.asking?.before) this.allowed++; // the user still wants it
    this.asking = undefined;
    if (this.connection) world.server.users--;
    world.server.changes++;
    this.connection = 0;
    this.wakesAt = Infinity;
    this.room.lost();
  }

  sync() {
    this.allowed += this.asking?.before ? 2 : 1; // the question takes the place of the one that is under way
    if (this.isOpen) this.ask((id) => this.room.question(false, id, this.world.now));
    this.act();
  }

  /** Waits until the room is quiet. That it asks then counts as a sync. */
  awaitQuiet() {
    const { world, room } = this;
    world.at(room.quietAt, () => {
      this.allowed++;
      room.sync(world.now);
      this.act();
    });
  }

  /** The user reads, and may put the page away. */
  read() {
    this.room.markShown(this.world.now);
    if (this.world.chance(0.5)) this.hide();
  }

  older() {
    if (this.room.more) this.allowed++;
    this.room.loadOlder();
    this.act();
  }
}

class World {
  now = 0;
  connections = 0;
  calm = false;
  #events = [];
  #order = 0;

  constructor(Room, seed) {
    this.random = seeded(seed);
    this.loss = this.pick(0, 0.05, 0.3);
    this.twice = this.pick(0, 0.1);
    this.slow = this.pick(0, 0.1, 0.4);
    this.bursts = this.chance(0.05); // hundreds of messages, at once and unseen
    this.page = this.bursts ? 50 : this.pick(3, 10, 50);
    this.most = this.pick(10_000, 10_000, 40);
    this.server = new Server(this.bursts ? 60 : this.pick(2, 7, 60));
    this.clients = [1, 2].map(() => new Client(this, Room));
  }

  pick(...choices) {
    return choices[Math.floor(this.random() * choices.length)];
  }

  chance(share) {
    return this.random() < share;
  }

  at(time, run) {
    this.#events.push({ time, order: this.#order++, run });
    for (let i = this.#events.length - 1; i > 0 && this.#isBefore(i, (i - 1) >> 1); i = (i - 1) >> 1)
      this.#swap(i, (i - 1) >> 1);
  }

  /** The next event: the events are a heap. */
  #next() {
    const [event] = this.#events;
    const last = this.#events.pop();
    if (this.#events.length === 0) return event;
    this.#events[0] = last;
    for (let i = 0, child; ; i = child) {
      child = 2 * i + 1;
      if (child + 1 < this.#events.length && this.#isBefore(child + 1, child)) child++;
      if (child >= this.#events.length || !this.#isBefore(child, i)) return event;
      this.#swap(i, child);
    }
  }

  #isBefore(i, j) {
    const [a, b] = [this.#events[i], this.#events[j]];
    return a.time < b.time || (a.time === b.time && a.order < b.order);
  }

  #swap(i, j) {
    [this.#events[i], this.#events[j]] = [this.#events[j], this.#events[i]];
  }

  /** Sends a frame to a client or from it. It may get lost, come twice or late, but never over another connection. */
  deliver(client, run) {
    const { connection } = client;
    if (!this.calm && this.chance(this.loss)) return;
    for (let copies = !this.calm && this.chance(this.twice) ? 2 : 1; copies > 0; copies--) {
      const late = !this.calm && this.chance(this.slow) ? this.random() * this.pick(1_000, 4_000, 15_000) : 0;
      const time = Math.max(client.openedAt, this.now + 5 + this.random() * 30 + late);
      this.at(time, () => connection === client.connection && run());
    }
  }

  /** Appends, then lists the members, then posts. */
  say(text, author) {
    this.post(this.server.append(text, { author }), author);
  }

  /** Takes the text of a message, and notes that in the log. */
  remove() {
    const said = this.server.said();
    if (!said.length) return;
    const entry = this.pick(...said);
    this.server.takeText(entry);
    this.post(this.server.append(undefined, { of: entry.seq }));
  }

  /** Takes the texts of a user. Nothing is posted of that. */
  erase() {
    const sub = `user ${this.pick(0, 1, 2)}`;
    const said = this.server.said(sub);
    for (const entry of said) this.server.takeText(entry);
    if (said.length) this.server.append(undefined, { erased: hashOf(sub) });
  }

  post(entry, author) {
    const posted = { ...entry }; // the text that it has now
    this.at(this.now + this.random() * 10, () => {
      for (const client of this.clients) {
        if (!client.connection) continue;
        const own = client === author;
        this.deliver(client, () => {
          client.room.pushed(client.item(itemOf(posted, client)), this.now);
          client.learned(entry);
        });
        if (!own) continue;
        this.deliver(client, () => {
          client.room.heard(entry.seq, this.now);
          client.learned(entry);
        });
      }
    });
  }

  /** Runs until a time, or until nothing happens any more. */
  run(until, check) {
    for (let count = 0; this.#events.length; count++) {
      hold(count < 20_000, () => "it never rests");
      if (this.#events[0].time > until) break;
      const event = this.#next();
      this.now = Math.max(this.now, event.time);
      event.run();
      if (count % 32 === 0) check?.();
    }
    if (until < Infinity) this.now = until;
  }
}

/** Checks the messages that a client shows. It holds at any time. */
function checkShown(world, client) {
  const { server } = world;
  const { room } = client;
  const shown = room.messages(world.now);
  for (let i = 0; i < shown.length; i++) {
    const { seq, text, deleted } = shown[i];
    if (deleted) hold(server.deleted.has(seq) && text === "", () => `number ${seq} is not deleted`);
    else hold(server.texts.get(seq)?.includes(text), () => `number ${seq} shows "${text}"`);
    const before = shown[i - 1]?.seq;
    if (before === undefined || seq === before + 1) continue;
    hold(before < seq, () => `${seq} stands behind ${before}`);
    if (!(seq <= room.position) || room.missing(before - 1)?.after < seq) continue;
    for (let missing = before + 1; missing < seq && missing < before + 2_000; missing++)
      hold(!server.texts.get(missing)?.every(Boolean), () => `${missing} is missing between ${before} and ${seq}`);
  }
}

/** Checks that a client has everything, in the end. */
function checkWhole(world, client) {
  const { server } = world;
  const { room } = client;
  const shown = room.messages(world.now);
  hold(room.live, () => "not live");
  const log = server.entries.slice(server.kept).filter(({ text, isDeleted }) => isDeleted || text !== undefined);
  const mine = new Map(shown.map(({ seq, text, deleted }) => [seq, deleted ? undefined : text]));
  if (shown.length < world.most) {
    hold(!room.more, () => "there is more, and it does not come");
    // With the note that a message was deleted, the restored table has lost the reason to tell of it.
    const isDoubtful = (seq) => server.restored && server.deleted.has(seq);
    for (const { seq, text } of log.filter(({ seq }) => !isDoubtful(seq)))
      hold(
        mine.has(seq) && mine.get(seq) === text,
        () => `${seq} is "${text}" in the log, and "${mine.get(seq)}" here`,
      );
  }
  hold(!(room.position < server.head), () => `${room.position} of ${server.head}`);
  hold(room.state(world.now).here?.count === server.users, () => "the users are others");
  if (server.restored || shown.length >= world.most) return;
  for (const id of room.state(world.now).gaps) {
    const upto = Number(id.split(" ")[0]);
    const after = shown[shown.findIndex((message) => message.id === id) - 1].seq;
    const allowed = server.losses.some(([from, to]) => from < upto && to > after);
    hold(allowed, () => `a gap is shown between ${after} and ${upto}, where nothing is lost`);
  }
}

/** Checks how far the user has read. Both clients know when each has asked twice. */
function checkRead(world, client) {
  const { server } = world;
  const { room } = client;
  const shown = room.messages(world.now);
  if (server.restored || shown.length >= world.most) return;
  const { read, unread } = room.state(world.now);
  const above = shown.filter(({ seq, own, deleted }) => seq > server.read && !own && !deleted);
  hold(read === server.read, () => `read up to ${read}, and the server has ${server.read}`);
  hold(unread === above.length, () => `${unread} unread, and ${above.length} are above ${read}`);
}

/** One minute or two of a chat, and then calm. Throws a Violation, or returns the numbers of requests. */
export function simulate(Room, seed) {
  const world = new World(Room, seed);
  const { server, clients } = world;
  const check = () => clients.forEach((client) => checkShown(world, client));
  let said = 0;
  for (let i = world.pick(0, 0, 5, 80); i > 0; i--) server.append(`message ${said++}`);
  const acts = world.pick(10, 25);
  const [expires, restores] = [world.chance(0.3), world.chance(0.1)];
  for (let i = 0; i < acts; i++) {
    const client = world.pick(...clients);
    const dice = world.random();
    if (dice < 0.45) {
      for (let n = world.pick(1, 1, 2, 6); n > 0; n--)
        world.say(`message ${said++}`, world.pick(...clients, undefined));
    } else if (dice < 0.6) client.connection ? client.cut() : client.open();
    else if (dice < 0.75) client.connection || client.open();
    else if (dice < 0.79) client.sync();
    else if (dice < 0.83) client.older();
    else if (dice < 0.87) world.remove();
    else if (dice < 0.88) world.erase();
    else if (dice < 0.9) client.read();
    else if (dice < 0.95 && expires) server.expire(world.pick(1, 5, 1_000));
    else if (dice < 0.97 && world.bursts) {
      clients.forEach((client) => client.cut());
      for (let n = 700; n > 0; n--) server.append(`message ${said++}`);
    } else if (dice > 0.97 && restores && server.head) {
      clients.forEach((client) => client.cut());
      server.restore(world.pick(1, 4));
      // A client cannot tell if the same number of messages was said before it comes back.
      rest(world, check);
      world.calm = false;
    }
    world.run(world.now + world.random() * world.pick(50, 2_000, 20_000), check);
  }
  rest(world, check);
  for (const client of clients) checkWhole(world, client);
  loseTail(world, `message ${said}`);
  for (const client of clients) checkWhole(world, client);
  for (const client of [...clients, ...clients]) {
    client.sync();
    world.run(Infinity, check);
  }
  for (const client of clients) checkRead(world, client);
  for (const { requests, allowed, gaps } of clients)
    hold(requests <= allowed + gaps.size, () => `${requests} requests, with ${allowed} reasons and ${gaps.size} gaps`);
  return clients.reduce((sum, { requests }) => sum + requests, 0);
}

/** The last message is lost to every client, and no later number tells of it. */
function loseTail(world, text) {
  const { clients, server, now } = world;
  server.append(text);
  for (const client of clients) {
    const wait = client.room.quietAt - now;
    hold(wait <= 540_000, () => `a quiet room asks after ${wait} ms`);
    client.awaitQuiet();
  }
  world.run(Infinity);
}

/** The network is good again, and every client comes back and reads everything. */
function rest(world, check) {
  world.calm = true;
  const back = world.clients.filter(({ connection }) => !connection);
  for (const client of back) client.open();
  world.run(Infinity, check);
  const { head, entries, kept } = world.server;
  for (const { room, highest } of world.clients) {
    const isKnown = highest > room.position && highest >= entries[kept]?.seq && highest <= head;
    hold(!isKnown, () => `${highest} is known, and ${room.position} is the position`);
  }
  for (const { room } of back) hold(room.live && !(room.position < head), () => "a client is back, and not up to date");
  for (const client of world.clients) client.sync();
  world.run(Infinity, check);
  for (const client of world.clients)
    for (let pages = 0; client.room.more; pages++) {
      hold(pages < 1_000, () => "older messages never end");
      client.older();
      world.run(Infinity, check);
    }
}
