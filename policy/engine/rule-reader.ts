import { AGREED_FILE } from './cedar.ts'
import { type LintFinding, lintRules, type RulePlace } from './lint.ts'
import type { RuleFile } from './own-rule.ts'

/** Reads rules that are not in force. */
export interface RuleReader {
  /** Of a policy folder. */
  folder(files: readonly RuleFile[], place?: Omit<RulePlace, 'of'>): LintFinding[]
  /** Of an agreement; lines count from the first of its `cedar` text. */
  agreement(text: string, place?: Omit<RulePlace, 'of'>): LintFinding[]
}

/** Loads Cedar, which takes some 200 ms once per process. */
export async function loadRuleReader(): Promise<RuleReader> {
  const cedar = await import('@cedar-policy/cedar-wasm/nodejs')
  return {
    folder: (files, place = {}) => lintRules(cedar, files, { ...place, of: 'folder' }),
    agreement: (text, place = {}) =>
      lintRules(cedar, [{ file: AGREED_FILE, text }], { ...place, of: 'agreement' })
  }
}
