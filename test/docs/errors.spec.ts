import { expect } from 'chai'
import { ApiProblem } from '../../agent/api/index.ts'
import { problemOf } from '../../agent/api/problem.ts'
import { explainedCodes, pageOf } from '../../agent/cli/pages.ts'
import { whereExplained } from '../../agent/cli/render/refusal.ts'
import { FAILURE_CODES, REFUSAL_CODES } from '../../protocol/documents/index.ts'
import { filesBelow, roomSources, text } from '../architecture/sources.ts'

const FOLDER = 'docs/errors'
const HEADINGS = ['Meaning', 'Who says it, and when', 'What to do', 'Example']
const INDEX = text(`${FOLDER}/README.md`)

const pages = filesBelow(FOLDER, (path) => path.endsWith('.md') && !path.endsWith('README.md'))
const codes = pages.map((path) => path.slice(FOLDER.length + 1, -'.md'.length))
const kindOf = (code: string) => text(`${FOLDER}/${code}.md`).split('\n')[2] ?? ''
const said = (word: RegExp) => codes.filter((code) => word.test(kindOf(code)))

/** What errors, answers of the HTTP interface and jobs are made with. */
const MADE =
  /super\(\s*'(?<base>[a-z]+(?:-[a-z]+)*)'|new ApiProblem\(\s*\d+,\s*'(?<problem>[a-z-]+)'|readonly code = '(?<code>[a-z-]+)'|new JobFailed\(\s*'(?<job>[a-z-]+)'/g

/** Codes that errors of the sources have, with the file of each. */
function made(): { code: string; path: string }[] {
  return roomSources().flatMap((path) =>
    [...text(path).matchAll(MADE)].map(({ groups = {} }) => ({
      path,
      code: groups.base ?? groups.problem ?? groups.code ?? groups.job ?? ''
    }))
  )
}

describe('The pages of codes', () => {
  it('are one for each refusal', () => {
    expect(said(/^Refusal\b/).sort()).to.deep.equal([...REFUSAL_CODES].sort())
  })

  it('are one for each failure', () => {
    expect(said(/^(Failure\b|Refusal, and failure\b)/).sort()).to.deep.equal([...FAILURE_CODES].sort())
  })

  it('are one for each code that an error of the agent has', () => {
    expect(made().filter(({ code }) => !codes.includes(code))).to.deep.equal([])
  })

  it('are of no code that nobody says, but for those that say so themselves', () => {
    const sources = roomSources()
      .filter((path) => !path.endsWith('documents/codes.ts') && !path.endsWith('cli/exit.ts'))
      .map(text)
      .join('\n')
    for (const code of codes)
      expect(sources.includes(`'${code}'`), code).to.equal(
        !text(`${FOLDER}/${code}.md`).includes('Reserved: nothing says it')
      )
  })

  for (const code of codes)
    it(`say what ${code} means, who says it, what to do, and how it looks`, () => {
      const page = text(`${FOLDER}/${code}.md`)
      expect(page).to.match(
        new RegExp(`^# \`${code}\`\n\n(Refusal|Failure|Told to own people only)[^\n]*Exit code [2-5]`)
      )
      const sections = page.split(/^## /m).slice(1)
      expect(sections.map((section) => section.split('\n')[0])).to.deep.equal(HEADINGS)
      for (const section of sections)
        expect(section.split('\n').slice(1).join('').trim(), section).not.to.equal('')
      expect(page).to.match(/```sh\n(dynamos|curl|journalctl) [^\n]+\n```\n\n```text\n[\s\S]+\n```\n$/)
    })

  it('are listed, each once in its place, and nothing else is', () => {
    const listed = [...INDEX.matchAll(/^\| \[`(?<code>[a-z-]+)`\]\((?<link>[a-z-]+)\.md\) \|/gm)]
    expect(listed.map(({ groups }) => groups?.code)).to.deep.equal(listed.map(({ groups }) => groups?.link))
    expect(listed.map(({ groups }) => groups?.code).sort()).to.deep.equal([...codes].sort())
  })

  it('link to pages that there are', () => {
    for (const path of [...pages, `${FOLDER}/README.md`])
      for (const { groups } of text(path).matchAll(/\]\((?<link>[a-z-]+)\.md\)/g))
        expect(codes, path).to.include(groups?.link)
  })

  it('are where a problem of the HTTP interface and a refusal on the terminal point to', () => {
    for (const code of codes) {
      const { type } = problemOf(new ApiProblem(400, code, 'for a test'))
      expect(pageOf(type.replace('urn:dynamos:error:', '')), type).to.equal(text(`${FOLDER}/${code}.md`))
      expect(whereExplained(code)).to.include(`${FOLDER}/${code}.md`)
    }
  })

  it('come with the package, and the command line finds them', () => {
    expect(explainedCodes()).to.deep.equal([...codes].sort())
    expect(text('package.json')).to.include(`"${FOLDER}"`)
    for (const other of ['../../package', 'README', '', 'NO-AGREEMENT', 'nothing-like-this'])
      expect(pageOf(other)).to.equal(undefined)
  })
})
