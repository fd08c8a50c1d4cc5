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

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

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
    public static void Add(string logs, TokenPair tokens) =>
        Change(logs, read => [.. read.Where(other => !other.IsSameAs(tokens)), tokens]);

    /// <summary>Removes pairs, durably; those that were added meanwhile stay.</summary>
    /// <exception cref="IOException">It can't be written, or stays locked.</exception>
    public static void Remove(string logs, IReadOnlyList<TokenPair> tokens) =>
        Change(logs, read => [.. read.Where(other => !tokens.Any(other.IsSameAs))]);

    private static void Change(string logs, Func<IReadOnlyList<TokenPair>, IReadOnlyList<TokenPair>> change)
    {
        using (FileLock.Acquire(Path.Combine(logs, $"{FileName}.lock"), FileOwner.Of(logs)))
        {
            Write(logs, change(Read(logs)));
        }
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
