using LoggingService.Files;
using LoggingService.Journal;
using LoggingService.RoomLogs;

namespace LoggingService.Cli;

/// <summary>Verifies the files of a log directory, also of one that a service writes to. Reads only.</summary>
/// <param name="isServed">A service writes to the directory: a difference counts once it lasts.</param>
/// <param name="report">Receives each problem, such as <c>!room:example.org/20261123.log: has 2 lines, its record 3</c>.</param>
internal sealed class LogVerification(string root, bool isServed, Action<string> report)
{
    private const int MaxAttempts = 5;
    private const UnixFileMode UnexpectedOfFile = ~Posix.LogFileMode;
    private const UnixFileMode UnexpectedOfFolder =
        ~(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute);

    private static readonly TimeSpan AttemptInterval = TimeSpan.FromSeconds(1);

    public int Rooms { get; private set; }

    public int Days { get; private set; }

    public long Events { get; private set; }

    public int Problems { get; private set; }

    public void VerifyAll()
    {
        VerifyMode(root, UnexpectedOfFolder);
        foreach (var entry in new DirectoryInfo(root).EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            if (entry.LinkTarget is { } target)
            {
                if (!target.StartsWith('!') || !Directory.Exists(Path.Combine(root, target)))
                {
                    Report($"{entry.Name}: links to {target}, which is no room");
                }
            }
            else if (entry is DirectoryInfo && entry.Name.StartsWith('!'))
            {
                VerifyRoom(entry.Name);
            }
        }

        if (!isServed)
        {
            VerifyJournal();
        }
    }

    /// <param name="name">The name of the room's folder.</param>
    public void VerifyRoom(string name)
    {
        var folder = Path.Combine(root, name);
        Rooms++;
        Try(name, () =>
        {
            VerifyMode(folder, UnexpectedOfFolder);
            foreach (var file in new DirectoryInfo(folder).EnumerateFiles().Where(file => file.LinkTarget is null))
            {
                VerifyMode(file.FullName, UnexpectedOfFile);
            }

            VerifyDays(name, folder);
            VerifyLatest(name, folder);
            if (Directory.Exists(Path.Combine(root, WriteAheadJournal.FolderName, name)))
            {
                Report($"{name}: is parked, its newest events are in the journal");
            }
        });
    }

    private void VerifyDays(string name, string folder)
    {
        var days = DayFileName.In(folder).Where(file => file.IsRecord || file.IsText).Select(file => file.Day);
        var earlier = new Queue<HashSet<UInt128>>();
        var newest = days.Max(day => (DateOnly?)day);
        foreach (var day in days.Distinct().Order().ToList())
        {
            var verified = new DayVerification(folder, day, earlier);
            Try($"{name}/{DayFileName.Record(day)}", () =>
            {
                verified.Run();
                for (var attempt = 1; verified.Problems.Count > 0 && isServed && day == newest && attempt < MaxAttempts; attempt++)
                {
                    // The service may be between record and text, or repair the day.
                    Thread.Sleep(AttemptInterval);
                    verified = new DayVerification(folder, day, earlier);
                    verified.Run();
                }
            });
            if (isServed && !IsThere(folder, day))
            {
                // The service removed the day.
                continue;
            }

            foreach (var (file, problem) in verified.Problems)
            {
                Report($"{name}/{file}: {problem}");
            }

            Days++;
            Events += verified.Events;
            earlier.Enqueue(verified.Ids);
            if (earlier.Count == KnownEvents.Days)
            {
                earlier.Dequeue();
            }
        }
    }

    private static bool IsThere(string folder, DateOnly day) => ((DayFileName[])[DayFileName.Record(day), DayFileName.Text(day)])
        .Any(file => DayFile.Find(Path.Combine(folder, file.ToString())) is not null);

    private void VerifyLatest(string name, string folder)
    {
        var target = new FileInfo(Path.Combine(folder, RoomFolder.Latest)).LinkTarget;
        var newest = DayFileName.In(folder).Where(file => file == DayFileName.Text(file.Day)).Max(file => (DateOnly?)file.Day);
        if (newest is { } day && target != DayFileName.Text(day).ToString())
        {
            Report($"{name}/{RoomFolder.Latest}: {(target is null ? "is missing" : $"links to {target}")}, not to {DayFileName.Text(day)}");
        }
    }

    /// <summary>Without a service, a journal that is not empty was left by an unclean stop.</summary>
    private void VerifyJournal()
    {
        var journal = new DirectoryInfo(Path.Combine(root, WriteAheadJournal.FolderName));
        if (journal.Exists && journal.EnumerateFiles().Any(file => file.Name.All(char.IsAsciiDigit) && file.Length > 0))
        {
            Report($"{journal.Name}: has events after an unclean stop; the next start writes them to the rooms' logs");
        }
    }

    private void VerifyMode(string path, UnixFileMode unexpected)
    {
        var mode = File.GetUnixFileMode(path);
        if ((mode & unexpected) != 0)
        {
            var expected = Convert.ToString((int)~unexpected, toBase: 8);
            Report($"{Path.GetRelativePath(root, path)}: has mode {Convert.ToString((int)mode, toBase: 8)}, not {expected}");
        }
    }

    private void Try(string path, Action verify)
    {
        try
        {
            verify();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Report($"{path}: can't be read: {e.Message}");
        }
    }

    private void Report(string problem)
    {
        Problems++;
        report(problem);
    }
}
