/** Words that are no texts in some version of YAML. */
const NO_TEXT = /^(null|true|false|yes|no|on|off|y|n|nan|inf)$/i
const BARE = /^[A-Za-z_][\w-]{0,127}$/
/** What JSON leaves as it is and a line, or a YAML file, does not hold. */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g

/** A text as YAML, bare where it cannot be taken for anything else. */
export function yamlText(text: string): string {
  return BARE.test(text) && !NO_TEXT.test(text) ? text : yamlQuoted(text)
}

export function yamlQuoted(text: string): string {
  return JSON.stringify(text).replaceAll(
    UNPRINTABLE,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
  )
}

/** A code table that maps each code to itself, for its steward to say what they mean. */
export function yamlCodes(codes: readonly string[]): string {
  return `{${codes.map((code) => `${yamlQuoted(code)}: ${yamlQuoted(code)}`).join(', ')}}`
}

/** A text that stays on one line of a comment. */
export function yamlComment(text: string): string {
  return text.replaceAll(/[\s\p{Cc}\u2028\u2029\ufeff]+/gu, ' ')
}
