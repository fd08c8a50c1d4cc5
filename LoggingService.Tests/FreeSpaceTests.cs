using LoggingService.Files;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>What a file system has left, as the system's own df reads it.</summary>
public class FreeSpaceTests
{
    [Fact]
    public async Task Bytes_and_inodes_are_those_that_df_reports()
    {
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder.Path, "10m", files: 500);
        disk.FillWithFiles(leave: 123);
        string[] arguments = ["-B1", "--output=avail,iavail", folder.Path];
        var (exitCode, output) = await ChildProcess.RunAsync("df", arguments, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(0, exitCode);
        var reported = output.Trim().Split('\n')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries);

        var free = FreeSpace.Of(folder.Path);

        Assert.Equal($"{free!.Value.Bytes} {free.Value.Inodes}", string.Join(' ', reported));
        Assert.Equal(123, free.Value.Inodes);
    }

    [Fact]
    public void A_missing_path_has_none()
    {
        using var folder = TempFolder.ForCaller();
        Assert.Null(FreeSpace.Of(folder["missing"]));
        Assert.True(FreeSpace.Of(folder.Path)!.Value.Bytes > 0);
    }
}
