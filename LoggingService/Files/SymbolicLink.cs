namespace LoggingService.Files;

/// <summary>Symbolic links that are replaced atomically: a reader finds the old target or the new one.</summary>
internal static class SymbolicLink
{
    /// <summary>Creates the link, or points an existing one to another target; returns false if it pointed there already.</summary>
    /// <exception cref="IOException">It can't be created, or the path is not a link.</exception>
    public static bool Replace(string path, string target)
    {
        var existing = new FileInfo(path);
        if (existing.LinkTarget == target)
        {
            return false;
        }

        if (existing.LinkTarget is null)
        {
            if (existing.Exists || Directory.Exists(path))
            {
                throw new IOException($"{path} exists and is not a symbolic link");
            }

            File.CreateSymbolicLink(path, target);
            return true;
        }

        var temporary = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetRandomFileName()}.link");
        File.CreateSymbolicLink(temporary, target);
        try
        {
            Posix.Rename(temporary, path);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        return true;
    }
}
