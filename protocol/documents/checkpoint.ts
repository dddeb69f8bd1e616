import { z } from 'zod'
import { digest, header, logPosition, organisation } from './fields.ts'

/**
 * An agent's word that its log stood there: whoever holds it can tell a log that was changed before, or cut off. At the end of an
 * audit export it also covers the bytes of that export.
 */
export const checkpoint = z.strictObject({
  ...header('checkpoint'),
  organisation,
  log: logPosition,
  /** sha2-256 of the export that it ends; null where it stands for the log alone. */
  export: digest.nullable()
})
