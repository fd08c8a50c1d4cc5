using System.CommandLine;
using System.Globalization;
using LoggingService.Files;
using LoggingService.Search;
using LoggingService.Visibility;
using Microsoft.Data.Sqlite;

namespace LoggingService.Cli;

/// <summary>The command <c>index</c>: brings the index for searches up to date, or builds it again.</summary>
internal static class IndexCommand
{
    /// <param name="readOptions">Reads the settings.</param>
    public static Command Create(Func<ParseResult, LoggingServiceOptions> readOptions)
    {
        var command = new Command("index", "Brings the index for searches up to date. It can be interrupted, and continued.");
        var rebuild = new Option<bool>("--rebuild") { Description = "Delete the index, and build it again from the records" };
        command.Add(rebuild);
        SettingOption.AddTo(command, "--logs");
        command.SetAction(parsed =>
        {
            var root = LogDirectoryPath.Of(readOptions(parsed));
            if (Environment.IsPrivilegedProcess && FileOwner.Of(root) is { User: not 0 })
            {
                throw new FatalException($"Run index as the user that owns {root}: the pages must be able to update the index");
            }

            try
            {
                return Run(root, parsed.GetValue(rebuild));
            }
            catch (Exception e) when (SearchDatabase.IsExpected(e))
            {
                throw new FatalException($"Failed to update the index in {root}: {e.GetBaseException().Message}");
            }
        });
        return command;
    }

    private static int Run(string root, bool isRebuild)
    {
        using var held = IndexLock.TryAcquire(root);
        if (held is null)
        {
            if (isRebuild)
            {
                IndexLock.RequestRebuild(root);
            }

            Console.WriteLine(isRebuild
                ? "Another process keeps the index up to date: it builds it again now"
                : "Another process keeps the index up to date");
            return 0;
        }

        var hidden = new HiddenEvents(root);
        hidden.Refresh();
        using var tables = Open(root, isRebuild);
        ProgressLine? progress = null;
        new IndexUpdate(root, tables, error => WriteError(progress, error)).Run(
            hidden.Current, isFull: true, Report, CancellationToken.None);
        IndexPurge.RequestMerge(tables.Writer);
        if (IndexPurge.IsNeeded(tables.Writer.Connection))
        {
            IndexPurge.Run(tables.Writer);
        }

        progress?.Clear();
        var rooms = tables.Rooms.Rooms().Count;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Indexed {tables.Writer.Events} event{(tables.Writer.Events == 1 ? "" : "s")} of {rooms} room{(rooms == 1 ? "" : "s")}"));
        return 0;

        void Report(int done, int total)
        {
            progress ??= new(total, "days");
            progress.Report(done);
        }
    }

    /// <summary>Opens the index; one that is damaged is built again.</summary>
    private static IndexTables Open(string root, bool isRebuild)
    {
        IndexTables? tables = null;
        try
        {
            tables = IndexTables.Open(root);
            if (!isRebuild)
            {
                SearchDatabase.Check(tables.Writer.Connection);
                return tables;
            }
        }
        catch (SqliteException e) when (SearchDatabase.IsDamage(e))
        {
            Console.Error.WriteLine($"The index is damaged, and built again: {e.Message}");
        }

        tables?.Dispose();
        SearchDatabase.Delete(root);
        return IndexTables.Open(root);
    }

    private static void WriteError(ProgressLine? progress, string error)
    {
        progress?.Clear();
        Console.Error.WriteLine($"Failed to index {error}");
    }
}
