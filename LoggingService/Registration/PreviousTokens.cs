using System.Diagnostics;
using System.Text;
using LoggingService.Files;

namespace LoggingService.Registration;

/// <summary>
/// The tokens that the homeserver may still use after <c>rotate-tokens</c>: a file in the log directory, since the service may not be
/// allowed to write next to the registration. One pair a line, as_token and hs_token, the oldest first. Mode 0600. The command and the
/// service change it under a lock (flock): otherwise the end of one rotation could discard the pair that the next one has just added.
/// </summary>
internal static class PreviousTokens
{
    public const string FileName = ".previous-tokens";

    private const string LockName = $"{FileName}.lock";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LockRetryInterval = TimeSpan.FromMilliseconds(20);

    /// <exception cref="ConfigurationException">The file can't be read.</exception>
    public static IReadOnlyList<TokenPair> Read(string logs)
    {
        var path = Path.Combine(logs, FileName);
        try
        {
            return !File.Exists(path) ? [] :
            [
                .. from line in File.ReadAllLines(path)
                   let tokens = line.Split(' ')
                   where tokens.Length == 2
                   select new TokenPair(tokens[0], tokens[1]),
            ];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{path} can't be read: {e.Message}");
        }
    }

    /// <summary>Adds a pair, durably. The file belongs to the owner of the log directory, which is the service's user.</summary>
    /// <exception cref="IOException">It can't be written, or stays locked.</exception>
    public static void Add(string logs, TokenPair tokens) => Change(logs, read => [.. read.Where(other => !other.IsSameAs(tokens)), tokens]);

    /// <summary>Removes pairs, durably; those that were added meanwhile stay.</summary>
    /// <exception cref="IOException">It can't be written, or stays locked.</exception>
    public static void Remove(string logs, IReadOnlyList<TokenPair> tokens) =>
        Change(logs, read => [.. read.Where(other => !tokens.Any(other.IsSameAs))]);

    private static void Change(string logs, Func<IReadOnlyList<TokenPair>, IReadOnlyList<TokenPair>> change)
    {
        using (Lock(logs))
        {
            Write(logs, change(Read(logs)));
        }
    }

    /// <summary>The lock file stays: one that is deleted could be locked by two processes, each with a file of its own.</summary>
    private static FileStream Lock(string logs)
    {
        var path = Path.Combine(logs, LockName);
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return OpenLock(logs, path);
            }
            catch (Exception e) when (
                e is IOException or UnauthorizedAccessException && Stopwatch.GetElapsedTime(started) < LockTimeout)
            {
                // Held, or created by root a moment ago and not yet given to the service's user.
                Thread.Sleep(LockRetryInterval);
            }
        }
    }

    private static FileStream OpenLock(string logs, string path)
    {
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            BufferSize = 0,
            UnixCreateMode = OwnerOnly,
        });
        FileOwner.Of(logs)?.ApplyTo(file.SafeFileHandle, path);
        return file;
    }

    private static void Write(string logs, IReadOnlyList<TokenPair> tokens)
    {
        var path = Path.Combine(logs, FileName);
        if (tokens.Count == 0)
        {
            File.Delete(path);
            Posix.Sync(logs);
            return;
        }

        var owner = FileOwner.Of(logs);
        AtomicFile.Replace(path, OwnerOnly, file =>
        {
            owner?.ApplyTo(file.SafeFileHandle, path);
            file.Write(Encoding.ASCII.GetBytes(string.Concat(tokens.Select(pair => $"{pair.AsToken} {pair.HsToken}\n"))));
        });
    }
}
