/** A shell block of a page that is run, marked `<!-- test -->` or, where it must fail, `<!-- test: EXIT-CODE -->`. */
export interface Block {
  script: string
  exit: number
  /** What its output holds: the block without a language that follows it. */
  output: string | undefined
}

const MARKED =
  /<!-- test(?:: (?<exit>\d+))? -->\n```sh\n(?<script>[\s\S]*?)\n```(?:\n\n```\n(?<output>[\s\S]*?)\n```)?/g

export function blocksOf(page: string): Block[] {
  return [...page.matchAll(MARKED)].map(({ groups }) => ({
    script: groups?.script ?? '',
    exit: Number(groups?.exit ?? 0),
    output: groups?.output
  }))
}

const separator = (index: number) => `=== block ${index}`

/** One script of all blocks, in order, in one shell. */
export function scriptOf(blocks: readonly Block[], preamble: string): string {
  const parts = blocks.map(({ script, exit }, index) => {
    const title = `printf '%s\\n' '${separator(index)}'`
    if (exit === 0) return `${title}\n${script}`
    return `${title}\nstatus=0\n{ ${script}\n} || status=$?\n[[ $status == ${exit} ]] || { echo "expected exit code ${exit}, found $status" >&2; exit 1; }`
  })
  return ['set -euo pipefail', preamble, ...parts, 'exit 0'].join('\n')
}

/** What a block printed. */
export function outputOf(stdout: string, index: number): string {
  const [, after = ''] = stdout.split(`${separator(index)}\n`)
  return after.split(/^=== block \d+$/m)[0] ?? ''
}
