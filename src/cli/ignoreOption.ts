import { ignoredPath } from '../core/runs/jsonDifference.ts';
import type { IgnoredPath } from '../core/runs/jsonDifference.ts';
import { UsageError } from './usage.ts';

/** What `--ignore` names, as often as it was given. */
export function ignoreOptions(values: readonly string[] = []): readonly IgnoredPath[] {
	return values.map((value) => {
		const path = ignoredPath(value);
		if (path === undefined)
			throw new UsageError(
				`--ignore needs a path into a result, as in rows[*].id or **.generated_at; it cannot be "${value}".`,
			);
		return path;
	});
}
