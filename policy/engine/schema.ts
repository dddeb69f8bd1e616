/** The text of `schema.cedarschema`, which is published as a file; a test holds the two together. */
export const SCHEMA = `// What rules of an organisation can speak about. Published: rules in the policy folder are checked against it.
// Instants are UTC; "hour" is 0 to 23 on a clock in the agreement's time zone (UTC where no agreement is asked).

entity Organisation;

// User::"UVA/analyst": a user exists only inside an organisation, which vouches for it.
entity User in [Organisation] {
  organisation: String,
  name: String
};

// A list that is written out, or any.
type Names = {
  any: Bool,
  names: Set<String>
};

entity Agreement {
  name: String,
  provider: String,
  dataset: String,
  users: Set<User>,
  organisations: Set<Organisation>,
  purposes: Names,
  archetypes: Names,
  algorithms: Names,
  computeProviders: Names,
  recipients: Names,
  // Of the tables and columns that are asked for, those that it shows. Columns are "table.column"; a dot or backslash in
  // a name stands behind a backslash.
  tables: Set<String>,
  columns: Set<String>,
  require: Set<String>,
  forbid: Set<String>,
  // Milliseconds since 1970.
  validFrom?: Long,
  validUntil: Long,
  // How many requests in its window.
  requests?: Long,
  sandboxed: Bool,
  // Whether somebody has to approve of requests.
  approval: Bool
};

// Whom this organisation computes for.
entity Hosting {
  hostedFor: Names,
  algorithms: Names
};

// A result on its way to this organisation.
entity Delivery {
  asked: Bool,
  consents: Bool
};

// A contract with its combined terms, when one of its flows is opened.
entity Contract {
  parties: Set<String>,
  flows: Set<String>,
  named: Set<String>,
  recipients: Names,
  purposes: Names,
  require: Set<String>,
  forbid: Set<String>,
  expires: Long,
  until?: Long,
  maxRows?: Long
};

// A flow of a contract as it is opened. Ends are peer ids; "peer" is the end that decides.
type Flow = {
  // "flow:step:from:to"
  id: String,
  from: String,
  to: String,
  peer: String,
  // Whether it ends at a recipient.
  delivers: Bool,
  // Once they are counted.
  rows?: Long
};

type Facts = {
  now: datetime,
  // The same, in milliseconds since 1970.
  instant: Long,
  hour: Long,
  // The organisation that decides.
  self: String,
  // The organisation that asks.
  requester: String,
  // Empty texts when the question is "discover".
  purpose: String,
  archetype: String,
  algorithm: String,
  datasets: Set<String>,
  dataProviders: Set<String>,
  // Compute providers that would hold data; empty when only the data providers do.
  infrastructure: Set<String>,
  recipients: Set<String>,
  // Absent before they are known, which is only before an offer is made.
  tables?: Set<String>,
  columns?: Set<String>,
  services?: Set<String>,
  // Places that would run jobs without a sandbox.
  unsandboxed?: Set<String>,
  // Who would read pseudonyms and also has a share of their key; absent where nothing is pseudonymised.
  pseudonymsOpenTo?: Set<String>,
  requestsInWindow?: Long,
  // Whether it was approved; absent until everything else is decided, which is only before an offer is made.
  approved?: Bool,
  flow?: Flow
};

action discover, offer appliesTo {
  principal: [User],
  resource: [Agreement],
  context: Facts
};

action host appliesTo {
  principal: [User],
  resource: [Hosting],
  context: Facts
};

action accept, start, "continue" appliesTo {
  principal: [User],
  resource: [Agreement, Hosting, Delivery],
  context: Facts
};

action send, release appliesTo {
  principal: [User],
  resource: [Agreement, Contract],
  context: Facts
};

action receive appliesTo {
  principal: [User],
  resource: [Contract, Delivery],
  context: Facts
};
`
