using System.CommandLine;
using System.Text;
using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Cli;

/// <summary>The command <c>render</c>: renders records as log text.</summary>
internal static class RenderCommand
{
    public static Command Create()
    {
        var command = new Command("render", "Writes records (.jsonl, .jsonl.gz) as log text to standard output.");
        var records = new Argument<string[]>("FILE") { Description = "Records in their order; - for standard input" };
        records.Arity = ArgumentArity.OneOrMore;
        command.Add(records);
        command.SetAction(parsed => Run(parsed.GetRequiredValue(records)));
        return command;
    }

    /// <summary>
    /// Renders in the time zone of the process. Lines can refer to earlier ones, also of an earlier file; the first file of each
    /// folder also to the file of the day before.
    /// </summary>
    /// <exception cref="FatalException">A file can't be read, or is no record; or standard output can't be written.</exception>
    private static int Run(string[] records)
    {
        using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), bufferSize: 1 << 16);
        var text = new RecordText(output, TimeZoneInfo.Local, Console.Error);
        var folders = new HashSet<string?>();
        foreach (var record in records)
        {
            RejectOthers(record);
            try
            {
                if (folders.Add(Path.GetDirectoryName(Path.GetFullPath(record))) && DayBefore(record) is { } before)
                {
                    text.ReadBefore(before);
                }

                text.Write(record == "-" ? "/dev/stdin" : record);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                throw new FatalException($"Failed to read {record}: {e.Message}");
            }
        }

        text.Flush();
        return 0;
    }

    /// <summary>Every line of a text would be rendered as one that is no event.</summary>
    private static void RejectOthers(string path)
    {
        if (Directory.Exists(path))
        {
            throw new FatalException($"{path} is a folder. Name its records: {Path.Combine(path, "*.jsonl")}");
        }

        var suffix = path.EndsWith(DayFile.CompressedSuffix, StringComparison.Ordinal) ? DayFile.CompressedSuffix : "";
        var written = path[..^suffix.Length];
        if (Path.GetExtension(written) == ".log")
        {
            throw new FatalException($"{path} is a text. Name its record: {Path.ChangeExtension(written, ".jsonl")}{suffix}");
        }
    }

    /// <summary>The newest record of an earlier day in the folder of a day's record.</summary>
    private static string? DayBefore(string record)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(record))!;
        return DayFileName.Parse(Path.GetFileName(record)) is { IsRecord: true } name
            && RoomFolder.NewestDayBefore(folder, name.Day) is { } before
            ? DayFile.Find(Path.Combine(folder, DayFileName.Record(before).ToString()))
            : null;
    }
}
