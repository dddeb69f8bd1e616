/** The agent in its marketplace; promises to users, as in views.ts. */
import { z } from 'zod'

const instantView = z.string()

/** Where this agent stands in its marketplace, and what it knows of it. */
export const marketplaceView = z.object({
  marketplace: z.string(),
  name: z.string(),
  contact: z.string(),
  /** The agent's own clock. */
  now: instantView,
  status: z.object({
    number: z.number(),
    list: z.string(),
    issued: instantView,
    /** After that the agent refuses everything. */
    holdsUntil: instantView,
    tooOld: z.boolean(),
    expelled: z.array(
      z.object({
        peer: z.string(),
        since: instantView,
        reason: z.string().nullable(),
        stolenFrom: instantView.nullable()
      })
    ),
    /** Numbers under which the authorities signed several lists, with the ids of the lists. */
    conflicts: z.array(z.object({ number: z.number(), lists: z.array(z.string()) }))
  }),
  membership: z.object({
    organisation: z.string(),
    peer: z.string(),
    /** `member`, or the code with which others refuse this agent. */
    standing: z.string(),
    agents: z.array(z.string()),
    stewards: z.array(z.string()),
    roles: z.array(z.string()),
    speaksFor: z.array(z.string()),
    issued: instantView,
    expires: instantView
  }),
  /** Agents as they were when they said hello last. */
  encounters: z.array(
    z.object({
      peer: z.string(),
      organisation: z.string().nullable(),
      clockAheadMs: z.number().nullable(),
      refusedUs: z.string().nullable()
    })
  )
})
export type MarketplaceView = z.infer<typeof marketplaceView>

/** What the agent did with a document of the authority: `taken`, or it `knew` one at least as new. */
export const takenDocuments = z.object({
  status: z.object({ number: z.number(), taken: z.boolean() }).nullable(),
  membership: z.object({ expires: instantView, taken: z.boolean() }).nullable()
})
export type TakenDocuments = z.infer<typeof takenDocuments>
