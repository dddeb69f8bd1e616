import { z } from 'zod'

/** An entry of the log. `fields` depend on its kind. */
export const auditEntryView = z.object({
  sequence: z.int(),
  head: z.string(),
  time: z.string(),
  kind: z.string(),
  request: z.string().nullable(),
  contract: z.string().nullable(),
  document: z.string().nullable(),
  fields: z.record(z.string(), z.unknown()),
  /** It is kept what the decision rested on, so that an export can show it. */
  opening: z.boolean()
})
export type AuditEntryView = z.infer<typeof auditEntryView>

/** `next`: the latest entries before it come next. */
export const auditListView = z.object({ entries: z.array(auditEntryView), next: z.int().nullable() })
export type AuditListView = z.infer<typeof auditListView>

/** `broken`: the first entry that is not what was written. */
export const auditVerifiedView = z.object({
  intact: z.boolean(),
  entries: z.int(),
  head: z.string(),
  broken: z.object({ sequence: z.int(), reason: z.string() }).nullable()
})
export type AuditVerifiedView = z.infer<typeof auditVerifiedView>

/** Two heads that one agent signed for one place in its log, each with the document (base64 of the signed bytes) that says so. */
export const auditProofView = z.object({
  peer: z.string(),
  organisation: z.string().nullable(),
  sequence: z.int(),
  statements: z.array(
    z.object({ head: z.string(), type: z.string(), heard: z.string(), document: z.string() })
  )
})
export type AuditProofView = z.infer<typeof auditProofView>

export const auditAcceptedView = z.object({ sequence: z.int(), head: z.string() })
export type AuditAcceptedView = z.infer<typeof auditAcceptedView>
