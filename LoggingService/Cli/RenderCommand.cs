using System.Text;
using LoggingService.Files;
using LoggingService.Options;
using LoggingService.RoomLogs;

namespace LoggingService.Cli;

/// <summary>The command <c>render</c>: the text of records, made again.</summary>
internal static class RenderCommand
{
    /// <summary>Writes the text of records to standard output, in the time zone of the process.</summary>
    /// <param name="records">Files with an event a line, in their order; <c>-</c> for standard input. Lines refer to those before them, also in a file before; the first file of each folder to those of the day before.</param>
    /// <returns>The exit code, 0.</returns>
    /// <exception cref="ConfigurationException">A file can't be read.</exception>
    public static int Run(IReadOnlyList<string> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), bufferSize: 1 << 16);
        var text = new RecordText(output, TimeZoneInfo.Local, Console.Error);
        var folders = new HashSet<string?>();
        foreach (var record in records)
        {
            try
            {
                if (folders.Add(Path.GetDirectoryName(Path.GetFullPath(record))) && DayBefore(record) is { } before)
                {
                    text.ReadBefore(before);
                }

                text.Write(record == "-" ? "/dev/stdin" : record);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new ConfigurationException($"{record} can't be read: {e.Message}".ReplaceLineEndings(" "));
            }
        }

        return 0;
    }

    /// <summary>The newest record of an earlier day in the folder of a day's record.</summary>
    private static string? DayBefore(string record)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(record))!;
        return DayFileName.TryParse(Path.GetFileName(record), out var name) && name.IsRecord
            && RoomLog.NewestDay(folder, day => day < name.Day) is { } before
            ? Path.Combine(folder, DayFileName.Record(before).ToString())
            : null;
    }
}
