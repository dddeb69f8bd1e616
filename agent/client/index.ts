/** An agent's API as a program sees it: over HTTP, every answer parsed before it is believed. */
export { agreementBody } from './agreement-body.ts'
export { type Client, type Connection, createClient } from './client.ts'
export { AgentSaysNo, AgentUnreachable, NotAnAgent } from './errors.ts'
export { readServerEvents } from './sse.ts'
