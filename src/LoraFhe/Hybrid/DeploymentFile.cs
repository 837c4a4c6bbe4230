using LoraFhe.Safetensors;

namespace LoraFhe;

/// <summary>Opens one of the two files that <see cref="HybridFheModel.SaveAndClearPrivateInfo"/> writes.</summary>
internal static class DeploymentFile
{
    /// <summary>Opens a file of a folder.</summary>
    /// <exception cref="FileNotFoundException">There is none of this name.</exception>
    /// <exception cref="InvalidDataException">It is damaged; the text names it.</exception>
    public static SafetensorsFile Open(string folder, string fileName)
    {
        var path = Path.Combine(folder, fileName);
        return File.Exists(path) ? SafetensorsFile.Open(path) : throw new FileNotFoundException(Errors.DeploymentFileMissing(fileName, folder), path);
    }
}
