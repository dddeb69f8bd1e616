/** A rule that an organisation wrote, in its policy folder or into an agreement. */
export interface OwnRule {
  id: string
  /** Its `@message`, which was written to be shown. */
  message: string | null
  file: string
  line: number
}

/** A file of the organisation's policy folder. */
export interface RuleFile {
  file: string
  text: string
}
