import { EventEmitter, ThemeColor, ThemeIcon, TreeItem } from 'vscode';
import type { Disposable, Event, TreeDataProvider } from 'vscode';
import { DisposableStore } from '../core/base/lifecycle.ts';

/** What a view says above its own rows, in red. */
export interface Mark {
	readonly label: string;
	readonly description: string;
	/** For a screen reader: a sentence. */
	readonly spoken: string;
	readonly tooltip: string;
}

/** A tree that may be marked: its first row then is none of its own. */
export class MarkedTree<Node extends object> implements TreeDataProvider<Node>, Disposable {
	readonly onDidChangeTreeData: Event<Node | Node[] | undefined | null | void>;
	private readonly tree: TreeDataProvider<Node>;
	private readonly changed = new EventEmitter<Node | Node[] | undefined | null | void>();
	private readonly disposables = new DisposableStore();
	/** The view's handle of the row. Nobody but this class looks into it, and whoever is given it finds nothing that it knows. */
	private readonly row = {} as Node;
	private current: Mark | undefined;

	constructor(tree: TreeDataProvider<Node>) {
		this.tree = tree;
		this.onDidChangeTreeData = this.changed.event;
		this.disposables.add(this.changed);
		const listening = tree.onDidChangeTreeData?.((node) => this.changed.fire(node));
		if (listening !== undefined) this.disposables.add(listening);
	}

	/** `undefined`: it is like any other. */
	set mark(mark: Mark | undefined) {
		if (JSON.stringify(mark) === JSON.stringify(this.current)) return;
		const isThere = this.current !== undefined;
		this.current = mark;
		this.changed.fire(isThere && mark !== undefined ? this.row : undefined);
	}

	async getChildren(node?: Node): Promise<Node[]> {
		const rows = (await this.tree.getChildren(node)) ?? [];
		return node === undefined && this.current !== undefined ? [this.row, ...rows] : rows;
	}

	getTreeItem(node: Node): TreeItem | Thenable<TreeItem> {
		if (node !== this.row) return this.tree.getTreeItem(node);
		const { label = '', description = '', spoken = '', tooltip = '' } = this.current ?? {};
		const item = new TreeItem(label);
		item.id = 'crosstalk mark';
		item.description = description;
		item.tooltip = tooltip;
		item.iconPath = new ThemeIcon('bug', new ThemeColor('list.errorForeground'));
		item.contextValue = 'crosstalkFaultMark';
		item.accessibilityInformation = { label: spoken, role: 'treeitem' };
		return item;
	}

	getParent(node: Node): ReturnType<NonNullable<TreeDataProvider<Node>['getParent']>> {
		return node === this.row ? undefined : this.tree.getParent?.(node);
	}

	resolveTreeItem(
		item: TreeItem,
		node: Node,
		token: Parameters<NonNullable<TreeDataProvider<Node>['resolveTreeItem']>>[2],
	): ReturnType<NonNullable<TreeDataProvider<Node>['resolveTreeItem']>> {
		return node === this.row ? item : this.tree.resolveTreeItem?.(item, node, token);
	}

	dispose(): void {
		this.disposables.dispose();
	}
}
