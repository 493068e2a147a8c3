# shellcheck shell=bash
# ./dev lint and ./dev format. Sourced by ./dev.

cmd_lint() {
  local all='' failures=0 check
  case ${1:-} in
    '') ;;
    --all) all=1 ;;
    *) usage_error "lint takes --all or nothing, not '$1'" ;;
  esac
  ensure_packages build lint
  for check in clang_format clang_tidy shellcheck yamllint promtool tidy; do
    heading "$check"
    "lint_$check" "$all" || failures=$((failures + 1))
  done
  ((failures == 0)) || die "$failures of 6 checks have findings"
  say "lint: nothing found"
}

cmd_format() {
  (($# == 0)) || usage_error "format takes no arguments"
  ensure_packages lint
  cpp_files | in_root xargs -r -d '\n' "$(llvm_tool clang-format)" -i
}

lint_clang_format() {
  cpp_files | in_root xargs -r -d '\n' "$(llvm_tool clang-format)" --dry-run -Werror
}

# Only what has changed since the main branch, unless all is asked for: clang-tidy takes seconds
# per file.
lint_clang_tidy() {
  local -a files
  if [[ -n $1 ]]; then
    mapfile -t files < <(cpp_files | grep '^src/.*\.cc$')
  else
    mapfile -t files < <(changed_files | grep '^src/.*\.cc$')
  fi
  ((${#files[@]} > 0)) || return 0
  build_generated_headers dev || return
  printf '%s\n' "${files[@]}" | in_root xargs -d '\n' -n 1 -P "$(jobs_wanted)" \
    nice "$(llvm_tool clang-tidy)" -p build/dev --quiet \
    --extra-arg=-Wno-unknown-warning-option 2> >(grep -v 'warnings generated' >&2)
}

lint_shellcheck() {
  { files_like '*.sh' && echo dev; } | in_root xargs -d '\n' shellcheck --external-sources
}

lint_yamllint() {
  files_like '*.yaml' '*.yml' '.yamllint' | in_root xargs -r -d '\n' yamllint --strict
}

lint_promtool() {
  (
    cd "$ROOT/deploy/monitoring" || exit
    promtool check config --syntax-only prometheus.yaml && promtool check rules rules/*.yaml &&
      promtool test rules tests/*.yaml
  )
}

# Layers, limits, banned text, and the links of every Markdown file.
lint_tidy() { python3 -B "$ROOT/tests/tidy/tidy.py" "$ROOT"; }

# llvm_tool NAME: the version the project is formatted and checked with, else whatever there is.
llvm_tool() { command -v "$1-14" || command -v "$1"; }

# Tracked or not, but not ignored; relative to the checkout.
files_like() { git -C "$ROOT" ls-files --cached --others --exclude-standard -- "$@"; }

cpp_files() { files_like '*.cc' '*.h' '*.hpp' '*.c'; }

# in_root COMMAND...: runs it in the checkout.
in_root() { (cd "$ROOT" && "$@"); }

changed_files() {
  local base
  base=$(git -C "$ROOT" merge-base HEAD origin/main 2>/dev/null ||
    git -C "$ROOT" merge-base HEAD main 2>/dev/null || git -C "$ROOT" rev-parse HEAD)
  git -C "$ROOT" diff --name-only --diff-filter=d "$base"
  git -C "$ROOT" ls-files --others --exclude-standard
}
