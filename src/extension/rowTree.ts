import { EventEmitter, MarkdownString, ThemeColor, ThemeIcon, TreeItem, TreeItemCollapsibleState } from 'vscode';
import type { Disposable, Event, TreeDataProvider } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';
import { plainMarkdown } from './plainMarkdown.ts';
import type { Row } from './row.ts';
import { Throttle, viewEveryMs } from './throttle.ts';

/** What stands in a view, computed anew whenever somebody asks. */
export interface RowSource extends Disposable {
	rows(now: number): readonly Row[];
	readonly onDidChange: Event<void>;
	/** Nobody looks: nothing need be followed for the rows alone. */
	setVisible(isVisible: boolean): void;
	/** A person has opened the row of this target. */
	readonly expanded?: (target: Row['target']) => void;
}

/** The view's handle of a row: the same object for as long as there is a row of this id. Commands are given it. */
export interface RowNode {
	readonly id: string;
	readonly target: Row['target'];
}

/** Ages tick once a second. */
const tickMs = 1000;

/**
 * A tree of rows that come from elsewhere. Of every change the view hears of those rows alone that look different, so that nothing
 * flickers, and whoever reads a row can go on reading.
 */
export class RowTree implements TreeDataProvider<RowNode>, Disposable {
	private readonly changed = new EventEmitter<RowNode[] | undefined>();
	readonly onDidChangeTreeData = this.changed.event;
	private readonly load: () => Promise<RowSource>;
	private readonly disposables = new DisposableStore();
	private source: RowSource | undefined;
	private loading: Promise<RowSource> | undefined;
	private readonly nodes = new Map<string, RowNode>();
	private rowsById = new Map<string, Row>();
	private parents = new Map<string, string>();
	private roots: readonly Row[] = [];
	private isVisible = false;
	private ticker: NodeJS.Timeout | undefined;
	private readonly refreshing: Throttle;

	/** @param load Called when somebody looks for the first time. */
	constructor(load: () => Promise<RowSource>) {
		this.load = load;
		this.disposables.add(this.changed);
		this.refreshing = this.disposables.add(new Throttle(viewEveryMs, () => this.refresh()));
	}

	/** Ages grow by the second, and only in front of somebody. */
	setVisible(isVisible: boolean): void {
		if (isVisible === this.isVisible) return;
		this.isVisible = isVisible;
		this.source?.setVisible(isVisible);
		clearInterval(this.ticker);
		if (!isVisible) return;
		this.ticker = setInterval(() => this.refreshing.request(), tickMs);
		this.refreshing.request();
	}

	/** A person has opened this row. */
	expanded({ target }: RowNode): void {
		this.source?.expanded?.(target);
	}

	async getChildren(node?: RowNode): Promise<RowNode[]> {
		if (node === undefined) {
			await this.whenLoaded();
			// Out of sight nothing is kept up to date.
			if (!this.isVisible && this.source !== undefined) this.take(this.source.rows(Date.now()));
			return this.roots.map((row) => this.nodeOf(row));
		}
		return (this.rowsById.get(node.id)?.children ?? []).map((row) => this.nodeOf(row));
	}

	getParent(node: RowNode): RowNode | undefined {
		const parent = this.parents.get(node.id);
		return parent === undefined ? undefined : this.nodes.get(parent);
	}

	getTreeItem(node: RowNode): TreeItem {
		const row = this.rowsById.get(node.id);
		// The row has gone since the view asked for it; it is about to hear so.
		if (row === undefined) return new TreeItem('');
		const item = new TreeItem(row.label, collapsibleState(row));
		item.id = row.id;
		item.description = row.description;
		item.contextValue = row.contextValue;
		if (row.icon !== undefined) {
			item.iconPath = new ThemeIcon(row.icon, row.color === undefined ? undefined : new ThemeColor(row.color));
		}
		item.accessibilityInformation = { label: row.spoken, role: 'treeitem' };
		if (row.command !== undefined) {
			item.command = { command: row.command.id, title: row.command.title, arguments: [node] };
		}
		return item;
	}

	/** Made when somebody points at the row. */
	resolveTreeItem(item: TreeItem, node: RowNode): TreeItem {
		const row = this.rowsById.get(node.id);
		if (row !== undefined) item.tooltip = tooltip(row);
		return item;
	}

	/** Looks at the rows anew, and tells the view which are different. */
	private refresh(): void {
		if (this.source === undefined || !this.isVisible) return;
		const before = { roots: this.roots, rowsById: this.rowsById };
		this.take(this.source.rows(Date.now()));
		if (!sameIds(before.roots, this.roots)) {
			this.changed.fire(undefined);
			return;
		}
		const different: RowNode[] = [];
		const compare = (rows: readonly Row[]): void => {
			for (const row of rows) {
				const known = before.rowsById.get(row.id);
				// With a row the view asks for all that is below it.
				if (known === undefined || !isSame(known, row)) different.push(this.nodeOf(row));
				else compare(row.children);
			}
		};
		compare(this.roots);
		if (different.length > 0) this.changed.fire(different);
	}

	dispose(): void {
		this.setVisible(false);
		this.disposables.dispose();
	}

	private async whenLoaded(): Promise<void> {
		if (this.source !== undefined) return;
		this.loading ??= this.load();
		const source = await this.loading;
		if (this.source === source) return;
		this.source = source;
		this.disposables.add(source);
		this.disposables.add(source.onDidChange(() => this.isVisible && this.refreshing.request()));
		source.setVisible(this.isVisible);
		this.take(source.rows(Date.now()));
	}

	private take(rows: readonly Row[]): void {
		this.roots = rows;
		this.rowsById = new Map();
		this.parents = new Map();
		const visit = (row: Row, parent: Row | undefined): void => {
			this.rowsById.set(row.id, row);
			if (parent !== undefined) this.parents.set(row.id, parent.id);
			for (const child of row.children) visit(child, row);
		};
		for (const row of rows) visit(row, undefined);
		for (const id of this.nodes.keys()) {
			if (!this.rowsById.has(id)) this.nodes.delete(id);
		}
	}

	private nodeOf(row: Row): RowNode {
		const known = this.nodes.get(row.id);
		if (known !== undefined) return known;
		const node: RowNode = { id: row.id, target: row.target };
		this.nodes.set(row.id, node);
		return node;
	}
}

function collapsibleState({ children, isOpen }: Row): TreeItemCollapsibleState {
	if (children.length === 0) return TreeItemCollapsibleState.None;
	return isOpen ? TreeItemCollapsibleState.Expanded : TreeItemCollapsibleState.Collapsed;
}

function isSame(one: Row, other: Row): boolean {
	return (
		one.label === other.label &&
		one.description === other.description &&
		one.icon === other.icon &&
		one.color === other.color &&
		one.contextValue === other.contextValue &&
		one.spoken === other.spoken &&
		sameIds(one.children, other.children)
	);
}

function sameIds(one: readonly Row[], other: readonly Row[]): boolean {
	return one.length === other.length && one.every(({ id }, index) => id === other[index]?.id);
}

function tooltip({ label, details }: Row): MarkdownString {
	const markdown = new MarkdownString();
	markdown.appendMarkdown(`**${plainMarkdown(label)}**\n\n`);
	const facts = details.filter(({ text }) => text.trim() !== '');
	const short = facts.filter(({ isBlock }) => !isBlock);
	if (short.length > 0) markdown.appendMarkdown('| | |\n|---|---|\n');
	for (const { name, text } of short) {
		markdown.appendMarkdown(`| ${name} | ${plainMarkdown(text)} |\n`);
	}
	for (const { name, text } of facts.filter(({ isBlock }) => isBlock)) {
		markdown.appendMarkdown(`\n${name}\n`).appendCodeblock(text, 'text');
	}
	return markdown;
}
