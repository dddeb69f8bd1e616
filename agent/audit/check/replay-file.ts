import type { CaseFile, KeptEntry, KeptExport, KeptOpening } from './case-file.ts'
import { type OpenedDecision, type Replayed, replayDecisions } from './replay.ts'

/** What came of each opened decision of a file. */
export type Replay = readonly {
  shown: KeptExport
  kept: KeptEntry
  opening: KeptOpening
  answer: Replayed
}[]

/** Evaluates the opened decisions of a file again. */
export async function replayFile(file: CaseFile): Promise<Replay> {
  const opened = file.exports.flatMap((shown) =>
    shown.openings.flatMap((opening) => {
      const kept = shown.entryAt(opening.sequence)
      return kept === undefined || kept.entry.kind !== 'decision'
        ? []
        : [{ shown, kept, opening, entry: kept.entry }]
    })
  )
  const decisions = opened.map(
    ({ shown, opening, entry }): OpenedDecision => ({
      question: entry.fields.question,
      verdict: entry.fields.verdict,
      contract: entry.contract ?? null,
      organisation: shown.header.organisation,
      content: opening.content
    })
  )
  const answers = await replayDecisions(decisions, {
    agreements: new Map(file.all('agreement').map(({ document }) => [document.id, document.payload])),
    contracts: new Map(file.all('contract').map(({ document }) => [document.id, document.payload])),
    policies: new Map(file.policies.map((one) => [one.id, one]))
  })
  return opened.flatMap(({ shown, kept, opening }, index) => {
    const answer = answers[index]
    return answer === undefined ? [] : [{ shown, kept, opening, answer }]
  })
}
