using LoggingService.Files;
using LoggingService.Journal;

namespace LoggingService.Admin;

/// <summary>Whether files can be written in the log directory and in its journal, also while no transaction arrives.</summary>
internal sealed class JournalProbe(LoggingServiceOptions options, TimeProvider time)
{
    private const string FileName = ".health";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Several monitors cause one write.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private Task<string?>? _running;
    private long _startedAt;

    /// <returns>Why a file can't be written; <c>null</c> if it can.</returns>
    public async Task<string?> FindErrorAsync()
    {
        Task<string?> running;
        lock (_lock)
        {
            // One at a time: on a disk that hangs each would occupy a thread.
            if (_running is null || (_running.IsCompleted && time.GetElapsedTime(_startedAt) > MaxAge))
            {
                _startedAt = time.GetTimestamp();
                _running = Task.Run(FindError);
            }

            running = _running;
        }

        try
        {
            return await running.WaitAsync(Timeout);
        }
        catch (TimeoutException)
        {
            return $"writing a file to {options.Logs} takes more than {Timeout.TotalSeconds} s";
        }
    }

    private string? FindError()
    {
        try
        {
            Write(options.Logs);
            var journal = Path.Combine(options.Logs, WriteAheadJournal.FolderName);
            if (Directory.Exists(journal))
            {
                Write(journal);
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    private static void Write(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            using var file = Posix.OpenOrCreate(path);
            RandomAccess.Write(file, new byte[JournalFrame.Block], 0);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
