using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>Changes of an admin, an editor or logrotate to a room's files while the service has them open.</summary>
internal static class ExternalChanges
{
    /// <summary>Changes to one file.</summary>
    public static IReadOnlyList<string> ForFiles { get; } =
    [
        "deleted", "renamed", "cut to nothing", "cut somewhere", "cut in the last line", "copied and cut (copytruncate)",
        "rotated (create)", "saved without a line", "saved in place without a line", "saved with a shorter line",
        "saved with one more line", "lengthened by a line",
    ];

    /// <summary>All changes to a room.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        .. from change in ForFiles from file in (string[])["record", "text", "both"] select $"{file} {change}",
        "folder removed", "folder moved", "latest.log a file", "nothing",
    ];

    /// <summary>Applies a change to the latest files of a room, if it has any.</summary>
    public static void Apply(string change, string logs, string room, Random random)
    {
        var folder = Path.Combine(logs, room);
        if (!Directory.Exists(folder))
            return;

        switch (change)
        {
            case "folder removed":
                RemoveFolder(folder);
                return;
            case "folder moved":
                Directory.Move(folder, Path.Combine(logs, $"moved-{Guid.NewGuid():N}"));
                return;
            case "latest.log a file":
                File.Delete(Path.Combine(folder, "latest.log"));
                File.WriteAllText(Path.Combine(folder, "latest.log"), "mine\n");
                return;
        }

        // The same seed, so that a line is removed from both files alike.
        var seed = random.Next();
        foreach (var (name, suffix) in new[] { ("record", ".jsonl"), ("text", ".log") })
        {
            var isAffected = change.StartsWith(name, StringComparison.Ordinal) || change.StartsWith("both", StringComparison.Ordinal);
            var file = Directory.GetFiles(folder, "2???????" + suffix).Max(StringComparer.Ordinal);
            if (!isAffected || file is null)
                continue;
            var line = name == "record" ? Some.Message(room, "foreign") : "2026-11-24 12:00:00 +00:00 <@alice:localhost> foreign";
            ApplyToFile(change[(change.IndexOf(' ') + 1)..], file, line, new(seed));
        }
    }

    /// <summary>Removes a folder; again where the service creates a file in it meanwhile.</summary>
    public static void RemoveFolder(string folder)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Directory.Delete(folder, recursive: true);
                return;
            }
            catch (IOException) when (attempt < 20)
            {
                // As "rm -rf" an admin repeats it.
            }
        }
    }

    /// <summary>Applies a change to a text file, at a random position; unknown changes replace the file by a copy.</summary>
    public static void ApplyToFile(string change, string file, string line, Random random)
    {
        var aside = $"{file}.{Guid.NewGuid():N}";
        var lines = File.ReadAllLines(file).ToList();
        var index = random.Next(Math.Max(1, lines.Count));
        switch (change)
        {
            case "deleted":
                File.Delete(file);
                break;
            case "renamed":
                File.Move(file, aside);
                break;
            case "cut to nothing":
                Cut(file, 0);
                break;
            case "cut somewhere":
                Cut(file, random.NextInt64(new FileInfo(file).Length + 1));
                break;
            case "cut in the last line":
                Cut(file, Math.Max(0, new FileInfo(file).Length - 1 - random.Next(20)));
                break;
            case "copied and cut (copytruncate)":
                File.Copy(file, aside);
                Cut(file, 0);
                break;
            case "rotated (create)":
                File.Move(file, aside);
                File.WriteAllText(file, "");
                break;
            case "lengthened by a line":
                File.AppendAllText(file, line + "\n");
                break;
            case "saved in place without a line" when lines.Count > 0:
                lines.RemoveAt(index);
                File.WriteAllLines(file, lines);
                break;
            default:
                if (change == "saved without a line" && lines.Count > 0)
                    lines.RemoveAt(index);
                else if (change == "saved with a shorter line" && lines.Count > 0)
                    lines[index] = lines[index].Replace("xx", "x", StringComparison.Ordinal);
                else if (change == "saved with one more line")
                    lines.Insert(index, line);
                File.WriteAllLines(aside, lines);
                File.Move(aside, file, overwrite: true);
                break;
        }
    }

    private static void Cut(string path, long length)
    {
        // Without the advisory lock that .NET takes by default and other programs don't.
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        file.SetLength(length);
    }
}
