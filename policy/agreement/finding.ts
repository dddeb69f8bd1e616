/** Something a steward should know about a draft. */
export interface Finding {
  level: 'error' | 'warning'
  clause: string
  message: string
  line?: number
  column?: number
  /** The line of the file, as it stands there. */
  source?: string
}
