namespace LoggingService.Tests.Support;

/// <summary>A tmpfs of limited size on a folder, unmounted when disposed.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _path;

    private SmallDisk(string path) => _path = path;

    /// <summary>Mounts the tmpfs. If that isn't possible, the test is skipped; in CI it fails.</summary>
    public static async Task<SmallDisk> MountAsync(string path, string size = "1m", int files = 0)
    {
        Directory.CreateDirectory(path);
        var (exitCode, output) = OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess
            ? await ChildProcess.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={size},nr_inodes={files}", "tmpfs", path])
            : (1, "only root on Linux can");
        if (exitCode != 0)
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"Mounting a tmpfs is required in CI: {output}");
            Assert.Skip($"A tmpfs can't be mounted here: {output}");
        }

        return new(path);
    }

    /// <summary>Fills the disk except for some bytes.</summary>
    public void Fill(int leave = 0)
    {
        var reserve = Path.Combine(_path, "reserve");
        File.WriteAllBytes(reserve, new byte[leave]);
        using (var filler = new FileStream(Path.Combine(_path, "filler"), FileMode.Create, FileAccess.Write, FileShare.None, 0))
        {
            try
            {
                while (true)
                    filler.Write(new byte[4096]);
            }
            catch (IOException)
            {
                // Full.
            }
        }

        File.Delete(reserve);
    }

    /// <summary>Uses up the inodes except for some; there is still space.</summary>
    public void FillWithFiles(int leave = 0)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_path, "many")).FullName;
        var created = 0;
        try
        {
            while (true)
            {
                File.Create(Path.Combine(folder, $"{created}")).Dispose();
                created++;
            }
        }
        catch (IOException)
        {
            for (var i = 1; i <= leave; i++)
                File.Delete(Path.Combine(folder, $"{created - i}"));
        }
    }

    /// <summary>Frees the space and the inodes.</summary>
    public void Clear()
    {
        File.Delete(Path.Combine(_path, "filler"));
        if (Directory.Exists(Path.Combine(_path, "many")))
            Directory.Delete(Path.Combine(_path, "many"), recursive: true);
    }

    /// <summary>
    /// Makes the disk read-only, also for root, or writable again. Uses a mount on top: a mount with files open for writing
    /// can't be remounted read-only. Files that are open stay writable, and so do disks that are mounted below.
    /// </summary>
    public async Task SetReadOnlyAsync(bool readOnly)
    {
        if (readOnly)
        {
            await RunAsync("mount", "--rbind", _path, _path);
            await RunAsync("mount", "-o", "remount,bind,ro", _path);
        }
        else
        {
            await RunAsync("umount", "-l", _path);
        }
    }

    public Task ResizeAsync(string size) => RunAsync("mount", "-o", $"remount,size={size}", _path);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        var (exitCode, output) = await ChildProcess.RunAsync(program, arguments);
        Assert.True(exitCode == 0, output);
    }

    public void Dispose()
    {
        // Mounts can be stacked.
        for (var i = 0; i < 5; i++)
        {
            if (ChildProcess.RunAsync("umount", ["-l", _path]).GetAwaiter().GetResult().ExitCode != 0)
                break;
        }
    }
}
