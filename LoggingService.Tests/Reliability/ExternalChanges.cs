using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>What an admin, an editor or logrotate does to a room's files while the service has them open.</summary>
internal static class ExternalChanges
{
    /// <summary>What is done to one file.</summary>
    public static IReadOnlyList<string> ForFiles { get; } =
    [
        "deleted", "renamed", "cut to nothing", "cut somewhere", "cut in the last line", "copied and cut (copytruncate)", "rotated (create)",
        "saved without a line", "saved in place without a line", "saved with a shorter line", "saved with one more line", "lengthened by a line",
    ];

    /// <summary>All of them, of a room.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        .. from touch in ForFiles from file in (string[])["record", "text", "both"] select $"{file} {touch}",
        "folder removed", "folder moved", "latest.log a file", "nothing",
    ];

    /// <summary>Does one of them to the newest files of a room; nothing where there are none.</summary>
    public static void Apply(string touch, string logs, string room, Random random)
    {
        var folder = Path.Combine(logs, room);
        if (!Directory.Exists(folder))
            return;

        switch (touch)
        {
            case "folder removed":
                Directory.Delete(folder, recursive: true);
                return;
            case "folder moved":
                Directory.Move(folder, Path.Combine(logs, $"moved-{Guid.NewGuid():N}"));
                return;
            case "latest.log a file":
                File.Delete(Path.Combine(folder, "latest.log"));
                File.WriteAllText(Path.Combine(folder, "latest.log"), "mine\n");
                return;
        }

        // Who takes a line out of both files takes the same one out of both.
        var seed = random.Next();
        foreach (var (name, suffix) in new[] { ("record", ".jsonl"), ("text", ".log") })
        {
            if ((touch.StartsWith(name, StringComparison.Ordinal) || touch.StartsWith("both", StringComparison.Ordinal))
                && Directory.GetFiles(folder, "2???????" + suffix).Max(StringComparer.Ordinal) is { } file)
                ApplyToFile(touch[(touch.IndexOf(' ', StringComparison.Ordinal) + 1)..], file, name == "record" ? Some.Message(room, "somebody's") : "2026-11-24 12:00:00 +00:00 <@alice:localhost> somebody's", new(seed));
        }
    }

    /// <summary>Does one of them to a file of lines; "saved" alone puts another file with the same lines in its place.</summary>
    /// <param name="touch">What.</param>
    /// <param name="file">The file.</param>
    /// <param name="line">A line of somebody's.</param>
    /// <param name="random">Where in the file.</param>
    public static void ApplyToFile(string touch, string file, string line, Random random)
    {
        var aside = $"{file}.{Guid.NewGuid():N}";
        var lines = File.ReadAllLines(file).ToList();
        var one = random.Next(Math.Max(1, lines.Count));
        switch (touch)
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
                lines.RemoveAt(one);
                File.WriteAllLines(file, lines);
                break;
            default:
                if (touch == "saved without a line" && lines.Count > 0)
                    lines.RemoveAt(one);
                else if (touch == "saved with a shorter line" && lines.Count > 0)
                    lines[one] = lines[one].Replace("xx", "x", StringComparison.Ordinal);
                else if (touch == "saved with one more line")
                    lines.Insert(one, line);
                File.WriteAllLines(aside, lines);
                File.Move(aside, file, overwrite: true);
                break;
        }
    }

    private static void Cut(string path, long length)
    {
        // Without the lock that .NET takes otherwise, and that no other program asks for.
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        file.SetLength(length);
    }
}
