/**
 * The answer of a check as one page for people: a single file without scripts, which fetches nothing. All that a report says was
 * written by others, perhaps by the one who is audited: nothing of it reaches the page unescaped.
 *
 * @example
 * await writeFile('audit.html', pageOf(report))
 */
export { pageOf } from './page.ts'
