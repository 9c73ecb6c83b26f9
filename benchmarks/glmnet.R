# Run glmnet on data written by _glmnet.py. Arguments: a folder, then key=value settings.
# Writes to the folder: beta (p x k, 64-bit), a0 (k), clock (seconds, peak bytes above the data).
suppressPackageStartupMessages(library(glmnet))

words <- commandArgs(trailingOnly = TRUE)
folder <- words[1]
pairs <- strsplit(words[-1], "=", fixed = TRUE)
setting <- lapply(pairs, function(pair) if (length(pair) > 1) pair[2] else "")
names(setting) <- vapply(pairs, `[`, "", 1)
number <- function(name) as.numeric(setting[[name]])
file_of <- function(name) file.path(folder, name)
doubles <- function(name, count) readBin(file_of(name), "double", count, size = 8)
integers <- function(name, count) readBin(file_of(name), "integer", count, size = 4)

n <- number("n"); p <- number("p"); k <- number("k"); nnz <- number("nnz")
if (nnz > 0) {
  x <- new("dgCMatrix", i = integers("indices", nnz), p = integers("indptr", p + 1),
           x = doubles("data", nnz), Dim = as.integer(c(n, p)))
} else {
  x <- doubles("data", n * p)
  dim(x) <- c(n, p)
}
y <- doubles("y", n)
lambda <- doubles("lambda", k)

# The path must not end early because the deviance hardly changes.
glmnet.control(fdev = 0, devmax = 1)

# Resident memory in bytes, where the system tells it: VmRSS now, VmHWM the largest so far.
resident <- function(name) {
  if (!file.exists("/proc/self/status")) return(NA_real_)
  line <- grep(paste0("^", name), readLines("/proc/self/status"), value = TRUE)
  1024 * as.numeric(gsub("[^0-9]", "", line))
}
forget_peak <- function() {
  try(suppressWarnings(cat("5", file = "/proc/self/clear_refs")), silent = TRUE)
}

gaussian <- setting$family == "gaussian"
arguments <- list(x = x, y = if (gaussian) y else factor(y), family = setting$family,
                  lambda = lambda, standardize = FALSE, intercept = number("intercept") == 1,
                  thresh = number("thresh"), maxit = 1e9)
if (nzchar(setting$type)) {
  arguments[[if (gaussian) "type.gaussian" else "type.logistic"]] <- setting$type
}

# Load and compile what the first call needs.
invisible(glmnet(matrix(c(1, 2, 3, 4, 2, 1), 3), c(1, 2, 4), lambda = 0.1))
invisible(gc())
forget_peak()
before <- resident("VmRSS")
start <- proc.time()[["elapsed"]]
fit <- suppressWarnings(do.call(glmnet, arguments))
seconds <- proc.time()[["elapsed"]] - start
peak <- resident("VmHWM") - before

writeBin(as.vector(as.matrix(fit$beta)), file_of("beta"), size = 8)
writeBin(as.numeric(fit$a0) * rep(1, length(fit$lambda)), file_of("a0"), size = 8)
writeBin(c(seconds, peak), file_of("clock"), size = 8)
